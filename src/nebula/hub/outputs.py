"""What left enclaves, as hosts hand it in and everyone fetches it: payouts, sealed leaves, results, public files."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from nebula.database import insert_or_ignore
from nebula.hub.state import RunState
from nebula.hub.tables import leaves, payouts, runs
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.receipt import OwnersPage, Payout, PublicRun, SealedLeaf, parse_public_run
from nebula.protocol.wire import to_canonical

PAGE_OF_ROWS = 10_000


def keep_owners(connection: Connection, run: Hash32, session: Address, page: OwnersPage) -> None:
    """Keep a page of what a session has for owners; keeping it again changes nothing. Nobody sees it yet."""
    payout_rows = [
        {
            "run": run,
            "session": session,
            "payout_index": payout.index,
            "address": payout.address,
            "amount_wei": payout.amount_wei,
        }
        for payout in page.payouts
    ]
    leaf_rows = [
        {"run": run, "session": session, "sequence": sequence, "locator": leaf.locator, "sealed": leaf.sealed}
        for sequence, leaf in enumerate(page.leaves, page.first)
    ]
    connection.execute(insert_or_ignore(connection, payouts), payout_rows)
    connection.execute(insert_or_ignore(connection, leaves), leaf_rows)


def kept_payouts(connection: Connection, run: Hash32, session: Address) -> list[Payout]:
    """Return all payouts of a session that were handed in, by index."""
    chosen = select(payouts).where(payouts.c.run == run, payouts.c.session == session)
    in_order = chosen.order_by(payouts.c.payout_index).execution_options(yield_per=PAGE_OF_ROWS)
    return [_payout(row) for row in connection.execute(in_order)]


def kept_leaves(connection: Connection, run: Hash32, session: Address) -> Iterator[SealedLeaf]:
    """Yield all leaves of a session that were handed in, in their order."""
    chosen = select(leaves).where(leaves.c.run == run, leaves.c.session == session)
    in_order = chosen.order_by(leaves.c.sequence).execution_options(yield_per=PAGE_OF_ROWS)
    # Asked for only when the first leaf is wanted: a report that is refused before would leave the answer open, and the
    # database locked.
    for row in connection.execute(in_order):
        yield _sealed_leaf(row)


def keep_output(connection: Connection, public: PublicRun, sealed_result: bytes) -> None:
    """Keep what left the enclave last; from now on the session's payouts and leaves are the run's.

    ``public`` has no payouts: they stand in their own table. What other sessions of the run handed in goes.
    """
    run, session = public.signed.receipt.run, public.signed.receipt.session
    connection.execute(
        update(runs)
        .where(runs.c.run == run)
        .values(
            state=RunState.REPORTED.value,
            detail=None,
            session=session,
            sealed_result=sealed_result,
            public_run=to_canonical(public),
        )
    )
    for table in (payouts, leaves):
        connection.execute(delete(table).where(table.c.run == run, table.c.session != session))


def get_public_run(connection: Connection, run: Hash32) -> PublicRun:
    """Return a run's public file without its payouts.

    Raises:
        RejectedInputError: there is no such run, or nothing has left its enclave yet.
    """
    raw = connection.scalar(select(runs.c.public_run).where(runs.c.run == run))
    if raw is None:
        raise RejectedInputError("hub.run", f"run {run} has no public files (yet)")
    return parse_public_run(raw)


def get_sealed_result(connection: Connection, run: Hash32) -> bytes:
    """Return a run's result as it was sealed to its buyer.

    Raises:
        RejectedInputError: there is none (yet).
    """
    sealed = connection.scalar(select(runs.c.sealed_result).where(runs.c.run == run))
    if sealed is None:
        raise RejectedInputError("hub.run", f"run {run} has no result (yet)")
    return bytes(sealed)


def page_of_leaves(
    connection: Connection, run: Hash32, *, after: int, limit: int
) -> tuple[tuple[SealedLeaf, ...], int | None]:
    """Return a page of a run's sealed leaves and where the next page begins."""
    rows = connection.execute(
        select(leaves)
        .join(runs, (runs.c.run == leaves.c.run) & (runs.c.session == leaves.c.session))
        .where(leaves.c.run == run, leaves.c.sequence >= after)
        .order_by(leaves.c.sequence)
        .limit(limit + 1)
    ).all()
    page = tuple(map(_sealed_leaf, rows[:limit]))
    return page, after + limit if len(rows) > limit else None


def page_of_payouts(
    connection: Connection, run: Hash32, *, after: int, limit: int
) -> tuple[tuple[Payout, ...], int | None]:
    """Return a page of a run's payouts and where the next page begins."""
    rows = connection.execute(
        select(payouts)
        .join(runs, (runs.c.run == payouts.c.run) & (runs.c.session == payouts.c.session))
        .where(payouts.c.run == run, payouts.c.payout_index >= after)
        .order_by(payouts.c.payout_index)
        .limit(limit + 1)
    ).all()
    return tuple(map(_payout, rows[:limit])), after + limit if len(rows) > limit else None


def _sealed_leaf(row: Row[Any]) -> SealedLeaf:
    return SealedLeaf(locator=bytes(row.locator), sealed=bytes(row.sealed))


def _payout(row: Row[Any]) -> Payout:
    return Payout(index=row.payout_index, address=row.address, amount_wei=row.amount_wei)
