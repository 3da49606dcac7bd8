"""What a keeper needs to read from the ledger, and nothing more. It never writes.

Everything is asked *about a block*, so that the facts of one decision belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nebula.protocol.ids import Address, Hash32
from nebula.protocol.study import BuyerFacts
from nebula.protocol.typed_data import SessionVote


@dataclass(frozen=True, slots=True)
class Block:
    """Where the ledger stood. ``timestamp``: Unix seconds."""

    number: int
    hash: Hash32
    timestamp: int


@dataclass(frozen=True, slots=True)
class Slot:
    """All that the ledger holds of a record. ``commitment``: 26 bytes, or None when withdrawn or never seen."""

    commitment: bytes | None
    version: int

    @property
    def is_withdrawn(self) -> bool:
        """Whether the record was registered once and is no more."""
        return self.commitment is None and self.version > 0


class LedgerView(Protocol):
    """The ledger, as this keeper's own node has it. Every method raises UnavailableError while the node is away."""

    def newest_block(self) -> Block:
        """Return the newest block."""
        ...

    def block(self, number: int) -> Block | None:
        """Return the block with a number, or None if there is none (yet)."""
        ...

    def slots(self, records: Sequence[Address], at: Block) -> dict[Address, Slot]:
        """Return the slot of each record."""
        ...

    def changed_records(self, first: int, last: int) -> set[Address]:
        """Return the records whose slots changed in blocks ``first`` to ``last``, both included."""
        ...

    def study_is_open(self, study: Hash32, at: Block) -> bool:
        """Whether the study is funded, and neither settled nor refunded."""
        ...

    def study_is_over(self, study: Hash32, at: Block) -> bool:
        """Whether the study is settled or refunded: nothing more can come of it."""
        ...

    def panel_is_published(self, panel: Hash32, at: Block) -> bool:
        """Whether an operator has published the panel."""
        ...

    def buyer(self, address: Address, at: Block) -> BuyerFacts | None:
        """Return what the ledger says of a buyer; None unless in good standing."""
        ...

    def approves(self, measurement: Hash32, trust_root: Hash32, *, simulated: bool, at: Block) -> bool:
        """Whether this code may run under this root, as genuine or as simulated."""
        ...

    def vouches_for(self, vote: SessionVote, *, simulated: bool, at: Block) -> bool:
        """Whether the session is registered for exactly this, and its code is still approved."""
        ...
