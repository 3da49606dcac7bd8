"""Following the ledger, page by page, and going back when it reorganises.

One round: (1) is the block that the index stands on still part of the chain? If not, go back to the newest older
block that is, forget what came after, and fold the touched subjects again. (2) Read the page's last block, then the
page's logs, then both ends once more in the same request: if they are what they were, the logs belong to this chain.
(3) Write logs, views and the new place in one transaction. A crash anywhere repeats the round.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError as DuplicateError

from nebula.database import reading, writing
from nebula.ledger.client.answers import BlockRef, RawLog, block_ref, raw_logs
from nebula.ledger.client.deployment import NetworkAddresses
from nebula.ledger.client.events import LedgerEvent
from nebula.ledger.client.failures import TooMuchError
from nebula.ledger.client.requests import Request, block_request, log_query
from nebula.ledger.client.rpc import LedgerClient
from nebula.ledger.index.stored import event_from_row, event_row
from nebula.ledger.index.tables import IndexTables
from nebula.ledger.index.views import DECODERS, fold
from nebula.protocol.errors import IntegrityError, UnavailableError

_PAGE_BLOCKS = 5_000
_KEPT_BLOCKS = 1_024
_ROUNDS_WITHOUT_PROGRESS = 20
_SUBJECTS_AT_ONCE = 500


class Follower:
    """Keeps one index up to date. Several processes may call it; each page is written by one of them."""

    def __init__(
        self,
        engine: Engine,
        tables: IndexTables,
        client: LedgerClient,
        addresses: NetworkAddresses,
        *,
        confirmations: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._tables = tables
        self._client = client
        self._first = addresses.deployed_block
        self._chain_id = addresses.chain_id
        self._depth = confirmations - 1
        self._sleep = sleep
        self._page_blocks = _PAGE_BLOCKS
        self._decoders = {getattr(addresses, name): decoder for name, decoder in DECODERS.items()}
        self._chain_checked = False

    def head(self) -> BlockRef | None:
        """Return where the index stands."""
        with reading(self._engine) as connection:
            return self._head(connection)

    def sync(self) -> BlockRef:
        """Run rounds until the newest confirmed block is reached."""
        if not self._chain_checked:
            self._client.require_chain(self._chain_id)
            self._chain_checked = True
        for attempt in range(_ROUNDS_WITHOUT_PROGRESS):
            stand, target = self._stand(), self._target()
            while stand is None or stand.number < target.number:
                reached = self._advance(stand, target)
                if reached is None:
                    break
                stand = reached
            else:
                if stand.number > target.number or stand.hash == target.hash:
                    return stand
            self._sleep(0.05 * attempt)
        raise UnavailableError("ledger.unsteady", "the ledger keeps reorganising; the index waits for it to settle")

    def _target(self) -> BlockRef:
        head = self._client.head()
        if self._depth == 0 or head.number <= self._first:
            return head
        block = self._client.block(max(self._first, head.number - self._depth))
        return head if block is None else block

    def _stand(self) -> BlockRef | None:
        """Return where the index stands after going back to what is still on the chain."""
        with reading(self._engine) as connection:
            stand = self._head(connection)
            if stand is None or self._is_on_chain(stand):
                return stand
            blocks = self._tables.blocks
            older = connection.execute(select(blocks).order_by(blocks.c.number.desc())).mappings().all()
        kept = next((row["number"] for row in older if self._is_on_chain(_block(row))), None)
        if kept is None and len(older) >= _KEPT_BLOCKS:
            raise IntegrityError("ledger.chain", "the ledger rewrote more of its past than the index remembers")
        self._rewind(self._first - 1 if kept is None else kept)
        return self.head()

    def _is_on_chain(self, block: BlockRef) -> bool:
        found = self._client.block(block.number)
        return found is not None and found.hash == block.hash

    def _advance(self, stand: BlockRef | None, target: BlockRef) -> BlockRef | None:
        """Index one page; None means that the chain moved under it."""
        first = self._first if stand is None else stand.number + 1
        last = min(first + self._page_blocks - 1, target.number)
        end = target if last == target.number else self._client.block(last)
        if end is None:
            return None
        if first > last:  # the ledger is younger than the contracts: nothing to read yet
            raise IntegrityError("ledger.chain", f"the ledger ends before block {self._first}, where it was deployed")
        try:
            logs = self._page(stand, first, end)
        except TooMuchError:
            if self._page_blocks == 1:
                raise
            self._page_blocks = max(1, self._page_blocks // 4)
            return self._advance(stand, target)
        if logs is None:
            return None
        events = [event for log in logs if (event := self._decoders[log.address].decode(log)) is not None]
        return end if self._write(stand, end, events) else None

    def _page(self, stand: BlockRef | None, first: int, end: BlockRef) -> list[RawLog] | None:
        before = end.number if stand is None else stand.number
        requests: list[Request] = [
            ("eth_getLogs", [log_query(list(self._decoders), first, end.number, ())]),
            block_request(before),
            block_request(end.number),
        ]
        logs, raw_before, raw_end = self._client.results(requests)
        seen_before, seen_end = block_ref(raw_before), block_ref(raw_end)
        steady = seen_end is not None and seen_end.hash == end.hash
        joined = stand is None or (seen_before is not None and seen_before.hash == stand.hash)
        if stand is not None and end.number == stand.number + 1:
            joined = joined and end.parent_hash == stand.hash
        return raw_logs(logs, of=self._decoders) if steady and joined else None

    def _write(self, stand: BlockRef | None, end: BlockRef, events: list[LedgerEvent]) -> bool:
        """Write a page; False if another process was here first, and the round begins again where it got to."""
        try:
            with writing(self._engine) as connection:
                found = self._head(connection, lock=True)
                if (found and found.hash) != (stand and stand.hash):
                    return False
                self._write_page(connection, end, events)
        except DuplicateError:
            return False
        return True

    def _write_page(self, connection: Connection, end: BlockRef, events: list[LedgerEvent]) -> None:
        blocks = self._tables.blocks
        if events:
            connection.execute(insert(self._tables.events), [event_row(event) for event in events])
            fold(connection, self._tables, events)
        connection.execute(
            insert(blocks).values(
                number=end.number,
                hash=end.hash,
                parent_hash=end.parent_hash,
                timestamp_seconds=end.timestamp_seconds,
            )
        )
        self._forget_old(connection)

    def _forget_old(self, connection: Connection) -> None:
        numbers = self._tables.blocks.c.number
        oldest_kept = connection.scalar(select(numbers).order_by(numbers.desc()).offset(_KEPT_BLOCKS).limit(1))
        if oldest_kept is not None:
            connection.execute(delete(self._tables.blocks).where(numbers <= oldest_kept))

    def _rewind(self, kept: int) -> None:
        """Forget everything after a block, and fold the touched subjects again from what is left."""
        events, blocks = self._tables.events, self._tables.blocks
        with writing(self._engine) as connection:
            gone = events.c.block_number > kept
            touched = list(connection.scalars(select(events.c.subject).where(gone).distinct()))
            connection.execute(delete(events).where(gone))
            connection.execute(delete(blocks).where(blocks.c.number > kept))
            for start in range(0, len(touched), _SUBJECTS_AT_ONCE):
                subjects = touched[start : start + _SUBJECTS_AT_ONCE]
                for view in self._tables.views:
                    connection.execute(delete(view).where(view.c.subject.in_(subjects)))
                fold(connection, self._tables, self._events_of(connection, subjects))

    def _events_of(self, connection: Connection, subjects: list[str]) -> Iterable[LedgerEvent]:
        events = self._tables.events
        rows = connection.execute(
            select(events).where(events.c.subject.in_(subjects)).order_by(events.c.block_number, events.c.log_index)
        )
        return [event_from_row(row) for row in rows.mappings()]

    def _head(self, connection: Connection, *, lock: bool = False) -> BlockRef | None:
        blocks = self._tables.blocks
        query = select(blocks).order_by(blocks.c.number.desc()).limit(1)
        row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else _block(row)


def _block(row: Any) -> BlockRef:
    return BlockRef(row["number"], row["hash"], row["parent_hash"], row["timestamp_seconds"], base_fee_wei=0)
