"""A ledger in memory for the parties' tests: it can withdraw, suspend, reorganise, fall behind and go away."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from nebula.keeper.ledger_view import Block, Slot
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.study import BuyerFacts
from nebula.protocol.typed_data import SessionVote

ABSENT = Slot(None, 0)
T = TypeVar("T")


@dataclass
class SimulatedLedger:
    """Every change makes a block; every read is about a block that exists."""

    now: int
    slots_at: dict[Address, list[tuple[int, Slot]]] = field(default_factory=dict)
    open_at: dict[Hash32, list[tuple[int, bool]]] = field(default_factory=dict)
    buyers: dict[Address, BuyerFacts] = field(default_factory=dict)
    approvals: dict[tuple[Hash32, Hash32], bool] = field(default_factory=dict)
    published_at: dict[Hash32, int] = field(default_factory=dict)
    """From which block on a panel stands here; one that is not named always has."""
    registered_at: dict[tuple[SessionVote, bool], int] = field(default_factory=dict)
    number: int = 0
    fork: int = 0
    away: bool = False
    reads: int = 0

    # What happens on it

    def mine(self, blocks: int = 1) -> None:
        self.number += blocks

    def put(self, record: Address, commitment: bytes, version: int) -> None:
        self.mine()
        self.slots_at.setdefault(record, []).append((self.number, Slot(commitment, version)))

    def withdraw(self, record: Address) -> None:
        self.mine()
        version = self.slots_at[record][-1][1].version + 1
        self.slots_at[record].append((self.number, Slot(None, version)))

    def set_open(self, study: Hash32, *, is_open: bool = True) -> None:
        self.mine()
        self.open_at.setdefault(study, []).append((self.number, is_open))

    def register_session(self, vote: SessionVote, *, simulated: bool = True) -> None:
        self.mine()
        self.registered_at[vote, simulated] = self.number

    def reorganise(self, record: Address) -> None:
        """Replace the whole chain by one in which a record's last change did not happen."""
        self.fork += 1
        self.slots_at[record].pop()

    # What a keeper reads

    def newest_block(self) -> Block:
        self._answer()
        return self._block(self.number)

    def block(self, number: int) -> Block | None:
        self._answer()
        return self._block(number) if 0 <= number <= self.number else None

    def slots(self, records: Sequence[Address], at: Block) -> dict[Address, Slot]:
        self._answer()
        self.reads += len(records)
        return {record: _at(self.slots_at.get(record, []), at.number, ABSENT) for record in records}

    def changed_records(self, first: int, last: int) -> set[Address]:
        self._answer()
        return {
            record for record, changes in self.slots_at.items() if any(first <= number <= last for number, _ in changes)
        }

    def study_is_open(self, study: Hash32, at: Block) -> bool:
        self._answer()
        return _at(self.open_at.get(study, []), at.number, default=False)

    def study_is_over(self, study: Hash32, at: Block) -> bool:
        self._answer()
        changes = self.open_at.get(study, [])
        return bool(changes) and not _at(changes, at.number, default=True)

    def panel_is_published(self, panel: Hash32, at: Block) -> bool:
        self._answer(at)
        return self.published_at.get(panel, 0) <= at.number

    def buyer(self, address: Address, at: Block) -> BuyerFacts | None:
        self._answer(at)
        return self.buyers.get(address)

    def approves(self, measurement: Hash32, trust_root: Hash32, *, simulated: bool, at: Block) -> bool:
        self._answer(at)
        return self.approvals.get((measurement, trust_root)) is simulated

    def vouches_for(self, vote: SessionVote, *, simulated: bool, at: Block) -> bool:
        self._answer()
        approved = self.approves(vote.measurement, vote.trust_root, simulated=simulated, at=at)
        return approved and self.registered_at.get((vote, simulated), at.number + 1) <= at.number

    def _answer(self, at: Block | None = None) -> None:
        if at is not None:
            assert at.number <= self.number
        if self.away:
            raise UnavailableError("ledger.away", "the ledger is away")

    def _block(self, number: int) -> Block:
        return Block(number, "0x" + hashlib.sha256(f"{self.fork}/{number}".encode()).hexdigest(), self.now)


def _at(changes: list[tuple[int, T]], number: int, default: T) -> T:
    return next((value for changed, value in reversed(changes) if changed <= number), default)
