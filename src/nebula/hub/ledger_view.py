"""What the hub needs of the ledger, and nothing more. Every effect is idempotent."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import RecordPut
from nebula.protocol.receipt import Evidence, KeeperVote, SignedReceipt
from nebula.protocol.typed_data import Funding


class StudyState(StrEnum):
    """A study's state on the ledger."""

    UNKNOWN = "unknown"
    FUNDED = "funded"
    SETTLED = "settled"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that stands on the ledger."""

    transaction: Hash32
    block_number: int


class HubLedger(Protocol):
    """The ledger, as the hub's operator key sees it."""

    def study_state(self, study: Hash32) -> StudyState:
        """Return a study's state at the newest block."""
        ...

    def put_records(self, puts: Sequence[RecordPut]) -> tuple[Hash32, ...]:
        """Carry owners' signed writes to the ledger, in batches; returns the transactions once mined."""
        ...

    def register_session(self, evidence: Evidence, votes: Sequence[KeeperVote]) -> Mined:
        """Enter a session that enough keepers voted for."""
        ...

    def settle(self, funding: Funding, signed: SignedReceipt) -> Mined:
        """Split a study's escrow by a receipt."""
        ...

    def claim_subtree(
        self, study: Hash32, subtree: int, amount_wei: int, owners: Sequence[Address], proof: Sequence[bytes]
    ) -> Mined | None:
        """Pay a whole sub-tree of payouts; None when all of it was claimed before."""
        ...
