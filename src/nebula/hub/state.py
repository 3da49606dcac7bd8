"""The hub's tables. Nothing in them is secret, and nothing in them is needed to read anyone's data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    select,
    update,
)

from nebula.database import insert_or_ignore
from nebula.database.replay import seen_messages_table
from nebula.ledger.relay import outbox_table
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import SessionRequest
from nebula.protocol.receipt import OwnersPage, Payout, PublicRun, SealedLeaf, parse_public_run
from nebula.protocol.study import StudyDocument, parse_study
from nebula.protocol.wire import parser, to_canonical

_parse_session = parser(SessionRequest)

SCHEMA = 2
PAGE_OF_ROWS = 10_000

tables = MetaData()
seen_messages = seen_messages_table(tables)
outbox = outbox_table(tables)

studies = Table(
    "studies",
    tables,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("study", String(66), nullable=False, unique=True),
    Column("buyer", String(42), nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
    sqlite_strict=True,
)

runs = Table(
    "runs",
    tables,
    Column("run", String(66), primary_key=True),
    Column("study", String(66), ForeignKey("studies.study"), nullable=False, unique=True),
    Column("state", String(20), nullable=False, index=True),
    Column("detail", Text, nullable=True),
    Column("deadline", BigInteger, nullable=False),
    Column("sealed_result", LargeBinary, nullable=True),
    Column("session", String(42), nullable=True),
    Column("public_run", LargeBinary, nullable=True),
    sqlite_strict=True,
)

candidates = Table(
    "candidates",
    tables,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("record", String(42), primary_key=True),
    sqlite_strict=True,
)

payouts = Table(
    "payouts",
    tables,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("session", String(42), primary_key=True),
    Column("payout_index", BigInteger, primary_key=True),
    Column("address", String(42), nullable=False),
    Column("amount_wei", String(39), nullable=False),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    tables,
    Column("session", String(42), primary_key=True),
    Column("run", String(66), ForeignKey("runs.run"), nullable=False, index=True),
    Column("request", LargeBinary, nullable=False),
    sqlite_strict=True,
)

leaves = Table(
    "leaves",
    tables,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("session", String(42), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("locator", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_strict=True,
)


questions = Table(
    "questions",
    tables,
    Column("question", String(66), primary_key=True),
    Column("run", String(66), ForeignKey("runs.run"), nullable=False),
    Column("session", String(42), nullable=False),
    Column("sender", String(42), nullable=False),
    Column("asked", BigInteger, nullable=False, index=True),
    Column("letter", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=True),
    Column("error", LargeBinary, nullable=True),
    sqlite_strict=True,
)

answering = Table(
    "answering",
    tables,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("session", String(42), nullable=False),
    Column("seen", BigInteger, nullable=False),
    sqlite_strict=True,
)


class RunState(StrEnum):
    """Where a run stands, in the order of the protocol."""

    MATCHING = "matching"
    ORDERED = "ordered"
    REPORTED = "reported"
    SETTLED = "settled"
    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the runs."""

    run: Hash32
    study: Hash32
    state: RunState
    detail: str | None


def add_study(connection: Connection, study: Hash32, document: StudyDocument) -> None:
    """Keep a study; keeping it again changes nothing."""
    row = {"study": study, "buyer": document.buyer, "document": to_canonical(document)}
    connection.execute(insert_or_ignore(connection, studies).values(row))


def get_study(connection: Connection, study: Hash32) -> StudyDocument:
    """Return a study's document.

    Raises:
        RejectedInputError: it was not published here.
    """
    raw = connection.scalar(select(studies.c.document).where(studies.c.study == study))
    if raw is None:
        raise RejectedInputError("hub.study", f"no study {study} was published here")
    return parse_study(raw)


def list_studies(
    connection: Connection, *, after: int, limit: int
) -> tuple[list[tuple[int, Hash32, StudyDocument]], int | None]:
    """Return a page of studies, oldest first, and where the next page begins."""
    rows = connection.execute(
        select(studies.c.sequence, studies.c.study, studies.c.document)
        .where(studies.c.sequence > after)
        .order_by(studies.c.sequence)
        .limit(limit + 1)
    ).all()
    page = [(row.sequence, row.study, parse_study(row.document)) for row in rows[:limit]]
    return page, page[-1][0] if len(rows) > limit else None


def add_run(connection: Connection, run: Hash32, study: Hash32, *, deadline: int) -> None:
    """Open a study's one run; opening it again changes nothing."""
    row = {"run": run, "study": study, "state": RunState.MATCHING.value, "deadline": deadline}
    connection.execute(insert_or_ignore(connection, runs).values(row))


def get_run(connection: Connection, run: Hash32) -> Run:
    """Return where a run stands.

    Raises:
        RejectedInputError: there is no such run.
    """
    row = connection.execute(
        select(runs.c.run, runs.c.study, runs.c.state, runs.c.detail).where(runs.c.run == run)
    ).one_or_none()
    if row is None:
        raise RejectedInputError("hub.run", f"there is no run {run}")
    return Run(row.run, row.study, RunState(row.state), row.detail)


def set_state(connection: Connection, run: Hash32, state: RunState, detail: str | None = None) -> None:
    """Note where a run stands."""
    connection.execute(update(runs).where(runs.c.run == run).values(state=state.value, detail=detail))


def set_detail(connection: Connection, run: Hash32, detail: str, *, only: RunState | None = None) -> None:
    """Note how far a run is, or what it waits for; with ``only``, while it stands there."""
    of_run = update(runs).where(runs.c.run == run)
    connection.execute((of_run if only is None else of_run.where(runs.c.state == only.value)).values(detail=detail))


def has_run(connection: Connection, run: Hash32) -> bool:
    """Whether a run was opened."""
    return connection.scalar(select(runs.c.run).where(runs.c.run == run)) is not None


def runs_at(connection: Connection, *states: RunState, overdue_at: float | None = None) -> list[Run]:
    """Return the runs that stand at one of these states; with ``overdue_at``, if their deadline has passed by then."""
    wanted = select(runs.c.run, runs.c.study, runs.c.state, runs.c.detail).where(
        runs.c.state.in_([one.value for one in states])
    )
    if overdue_at is not None:
        wanted = wanted.where(runs.c.deadline < overdue_at)
    rows = connection.execute(wanted.order_by(runs.c.run))
    return [Run(row.run, row.study, RunState(row.state), row.detail) for row in rows]


def open_orders(connection: Connection) -> Iterator[tuple[Hash32, StudyDocument]]:
    """Yield the runs that wait for an enclave, with their studies; those published first come first."""
    waiting = (
        select(runs.c.run, studies.c.document)
        .join_from(runs, studies, runs.c.study == studies.c.study)
        .where(runs.c.state == RunState.ORDERED.value)
    )
    for row in connection.execute(waiting.order_by(studies.c.sequence)):
        yield row.run, parse_study(row.document)


def add_candidates(connection: Connection, run: Hash32, records: Sequence[Address]) -> None:
    """Keep the records that a run may ask for."""
    if records:
        rows = [{"run": run, "record": record} for record in records]
        connection.execute(insert_or_ignore(connection, candidates), rows)


def page_of_candidates(
    connection: Connection, run: Hash32, *, after: Address | None, limit: int
) -> tuple[tuple[Address, ...], bool]:
    """Return a page of the records that a run may ask for, ascending, and whether there are more."""
    chosen = select(candidates.c.record).where(candidates.c.run == run, candidates.c.record > (after or ""))
    rows = connection.scalars(chosen.order_by(candidates.c.record).limit(limit + 1)).all()
    return tuple(rows[:limit]), len(rows) > limit


def replace_candidates(connection: Connection, run: Hash32, records: Sequence[Address]) -> None:
    """Keep the records that a discovery's next session may ask for, in place of the last one's."""
    connection.execute(delete(candidates).where(candidates.c.run == run))
    add_candidates(connection, run, records)


def keep_session(connection: Connection, request: SessionRequest) -> None:
    """Keep what a session was voted in on; keeping it again changes nothing."""
    row = {"session": request.evidence.session, "run": request.run, "request": to_canonical(request)}
    connection.execute(insert_or_ignore(connection, sessions).values(row))


def get_session(connection: Connection, session: Address) -> SessionRequest:
    """Return what a session was voted in on.

    Raises:
        RejectedInputError: the session was not handed in here.
    """
    raw = connection.scalar(select(sessions.c.request).where(sessions.c.session == session))
    if raw is None:
        raise RejectedInputError("hub.session", f"session {session} was not registered here")
    return _parse_session(raw)


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
    return (_sealed_leaf(row) for row in connection.execute(in_order))


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
