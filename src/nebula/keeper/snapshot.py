"""All policies that count, laid out for deciding: built once, then kept up with the ledger and the database.

Only what changed is read again: records whose slots the ledger changed since the last look, and records whose
policies came in since. A reorganisation of the ledger starts it afresh.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from nebula.database import reading
from nebula.keeper.context import Keeper
from nebula.keeper.ledger_view import Block, Slot
from nebula.keeper.standing import newest_block
from nebula.keeper.state import CurrentPolicy, current_policies, pages
from nebula.keeper.tables import policies
from nebula.protocol.consent_columns import PolicyColumns
from nebula.protocol.ids import Address

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class PartColumn:
    """Which parts each record has: the different sets that there are, and for every record the number of its set."""

    distinct: tuple[frozenset[str], ...]
    codes: NDArray[np.uint32]

    @classmethod
    def encode(cls, parts: Sequence[frozenset[str]]) -> "PartColumn":
        """Lay the sets out, in the order that they are given in."""
        code_of = {one: code for code, one in enumerate(dict.fromkeys(parts))}
        return cls(tuple(code_of), np.fromiter((code_of[one] for one in parts), np.uint32, len(parts)))

    def have(self, needed: frozenset[str]) -> NDArray[np.bool_]:
        """Return which records have all parts of these names, shape (records,)."""
        return np.fromiter((needed <= one for one in self.distinct), np.bool_, len(self.distinct))[self.codes]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The policies that count at one block, in the order of their records.

    Attributes:
        columns: the policies; ``columns.records`` ascends.
        parts: which parts each record has.
        budget_micro_rho: shape (policies,), what each policy gives in all.
        keepers, thresholds: shape (policies,), how each record's keys were dealt.
        withdrawn: how many records held here were withdrawn.
        not_current: how many others have no policy here that the ledger commits to.
    """

    columns: PolicyColumns
    parts: PartColumn
    budget_micro_rho: NDArray[np.int64]
    keepers: NDArray[np.int64]
    thresholds: NDArray[np.int64]
    withdrawn: int
    not_current: int

    def charges(self, micro_rho: int) -> NDArray[np.int64]:
        """Return what each record would pay here for a study; as ``Dealing.charge`` has it, a column at a time."""
        return -(-micro_rho * self.keepers // self.thresholds)


class Snapshots:
    """Keeps one snapshot up to date; thread-safe."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._lock = Lock()
        self._block: Block | None = None
        self._mark = 0
        self._slots: dict[Address, Slot] = {}
        self._policies: dict[Address, CurrentPolicy] = {}
        self._snapshot: Snapshot | None = None

    def newest(self, at: datetime) -> Snapshot:
        """Return the snapshot at the newest block."""
        with self._lock:
            block = newest_block(self._keeper, at)
            with reading(self._keeper.engine) as connection:
                mark = connection.scalar(select(func.max(policies.c.sequence))) or 0
                touched = self._touched(connection, block)
                self._look_again(connection, touched, block)
            if touched or self._snapshot is None:
                self._snapshot = self._lay_out()
            self._block, self._mark = block, mark
            return self._snapshot

    def _touched(self, connection: Connection, block: Block) -> set[Address]:
        last = self._block
        if last is not None and self._keeper.ledger.block(last.number) != last:
            last, self._mark = None, 0
            self._slots.clear()
            self._policies.clear()
        came_in = set(connection.scalars(select(policies.c.record).where(policies.c.sequence > self._mark)))
        if last is None or block.number == last.number:
            return came_in
        return came_in | (self._keeper.ledger.changed_records(last.number + 1, block.number) & self._slots.keys())

    def _look_again(self, connection: Connection, touched: set[Address], block: Block) -> None:
        for page in pages(sorted(touched), _PAGE):
            slots = self._keeper.ledger.slots(page, block)
            found = current_policies(connection, slots)
            for record in page:
                self._slots[record] = slots[record]
                if record in found:
                    self._policies[record] = found[record]
                else:
                    self._policies.pop(record, None)

    def _lay_out(self) -> Snapshot:
        current = [self._policies[record] for record in sorted(self._policies)]
        withdrawn = sum(slot.is_withdrawn for slot in self._slots.values())
        return Snapshot(
            columns=PolicyColumns.encode([one.policy for one in current]),
            parts=PartColumn.encode([one.parts for one in current]),
            budget_micro_rho=_column(one.policy.privacy_budget_micro_rho for one in current),
            keepers=_column(one.dealing.keepers for one in current),
            thresholds=_column(one.dealing.threshold for one in current),
            withdrawn=withdrawn,
            not_current=len(self._slots) - withdrawn - len(current),
        )


def _column(values: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(values, np.int64)
