"""What every party says, and what a kind of message is."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from nebula.protocol.errors import FAMILIES, NebulaError
from nebula.protocol.ids import Address, PublicKey
from nebula.protocol.wire import Document


class ErrorAnswer(Document, frozen=True, kw_only=True):
    """What every party answers when it does not do what was asked."""

    family: Annotated[str, msgspec.Meta(max_length=20)]
    code: str
    message: str
    hint: str | None = None

    @classmethod
    def of(cls, error: NebulaError) -> "ErrorAnswer":
        """Return an error as it goes over the wire."""
        return cls(family=error.family, code=error.code, message=error.message, hint=error.hint)

    def to_error(self) -> NebulaError | None:
        """Return the error that was answered; None for a bug, which is of no family."""
        family = FAMILIES.get(self.family)
        return None if family is None else family(self.code, self.message, hint=self.hint)


class Identity(Document, frozen=True, kw_only=True):
    """A party's public face, at ``/v1/identity``: unsigned, to be compared with the ledger."""

    party: str
    address: Address
    key: PublicKey
    chain_id: int
    simulated: bool


class Accepted(Document, frozen=True, kw_only=True):
    """Done; asking again changes nothing."""

    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message: what is asked and what is answered."""

    name: str
    request: type[Document]
    answer: type[Document]
