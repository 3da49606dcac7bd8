"""Records: reads, calls and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from nebula.ledger.client.calls import Contract, ContractCall
from nebula.ledger.client.events import Event, EventDecoder
from nebula.ledger.client.requests import At
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.typed_data import Domain

MAX_PUTS = 200
"""How many records one transaction registers at most."""

MAX_SLOTS = 500
"""How many slots one call reads at most."""

COMMITMENT_BYTES = 26
_VERSION_BITS = 48
_GAS_BASE = 80_000
_GAS_PER_PUT = 50_000


@dataclass(frozen=True, slots=True)
class Registered(Event):
    """A record came to life, or came back."""

    contract: ClassVar[str] = "records"
    record: Address
    commitment: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Updated(Event):
    """A live record has a new commitment."""

    contract: ClassVar[str] = "records"
    record: Address
    commitment: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """A record's consent ended."""

    contract: ClassVar[str] = "records"
    record: Address
    version: int


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """One item of a batch could not be accepted."""

    contract: ClassVar[str] = "records"
    record: Address
    version: int


EVENTS = EventDecoder("records", (Registered, Updated, Withdrawn, Refused))


@dataclass(frozen=True, slots=True)
class Slot:
    """All that the ledger holds of a record. ``commitment``: 26 bytes, or None when withdrawn or never seen."""

    record: Address
    commitment: bytes | None
    version: int

    @property
    def is_live(self) -> bool:
        """Whether the record is registered and not withdrawn."""
        return self.commitment is not None


@dataclass(frozen=True, slots=True)
class Put:
    """A control key's signed wish: this commitment, making this version."""

    record: Address
    commitment: bytes
    version: int
    signature: bytes


class Records(Contract):
    """Whose record is live, under which policy."""

    name = "records"

    def domain(self, chain_id: int) -> Domain:
        """Return what control keys' signatures are bound to."""
        return Domain(chain_id, self.address)

    def slot(self, record: Address, at: At = None) -> Slot:
        """Return what the ledger holds of a record."""
        return _slot(record, int(self._read("slot", record, at=at)))

    def slots(self, records: Sequence[Address], at: At = None) -> list[Slot]:
        """Return the slots of many records, about one block, in their order."""
        pages = [records[start : start + MAX_SLOTS] for start in range(0, len(records), MAX_SLOTS)]
        words = [word for found in self._read_many("slots", [(page,) for page in pages], at) for word in found]
        if len(words) != len(records):
            raise IntegrityError("ledger.contract", "the records contract answered about other records than asked")
        return [_slot(record, int(word)) for record, word in zip(records, words, strict=True)]

    def put(self, item: Put) -> ContractCall:
        """Register a record, or replace its commitment."""
        return self._call(
            "put", item.record, item.commitment, item.version, item.signature, gas=_GAS_BASE + _GAS_PER_PUT
        )

    def put_many(self, items: Sequence[Put]) -> ContractCall:
        """Register or update up to 200 records; what cannot be accepted is skipped and logged as refused.

        Raises:
            RejectedInputError: more than 200, or none.
        """
        if not 1 <= len(items) <= MAX_PUTS:
            raise RejectedInputError("ledger.batch", f"a batch has 1 to {MAX_PUTS} records, not {len(items)}")
        rows = [(item.record, item.commitment, item.version, item.signature) for item in items]
        return self._call("put_many", rows, gas=_GAS_BASE + _GAS_PER_PUT * len(items))

    def withdraw(self, record: Address, *, version: int, signature: bytes) -> ContractCall:
        """End a record's consent by its control key's signature."""
        return self._call("withdraw", record, version, signature, gas=100_000)

    def put_mine(self, commitment: bytes) -> ContractCall:
        """Register or update, sent by the control key itself."""
        return self._call("put_mine", commitment, gas=100_000)

    def withdraw_mine(self, *, version: int) -> ContractCall:
        """End consent, sent by the control key itself."""
        return self._call("withdraw_mine", version, gas=80_000)


def _slot(record: Address, word: int) -> Slot:
    commitment = (word >> _VERSION_BITS).to_bytes(COMMITMENT_BYTES, "big")
    return Slot(record, commitment if any(commitment) else None, word & ((1 << _VERSION_BITS) - 1))
