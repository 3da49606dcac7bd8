"""Studies and their runs: which there are, where each stands, who takes part and in which session."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, select, update

from nebula.database import insert_or_ignore
from nebula.hub.tables import candidates, runs, sessions, studies
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import SessionRequest
from nebula.protocol.study import StudyDocument, parse_study
from nebula.protocol.wire import parser, to_canonical

_parse_session = parser(SessionRequest)


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


def keep_session(connection: Connection, request: SessionRequest, host: Address) -> None:
    """Keep what a session was voted in on, and which host runs it; keeping it again changes nothing."""
    row = {"session": request.evidence.session, "run": request.run, "host": host, "request": to_canonical(request)}
    connection.execute(insert_or_ignore(connection, sessions).values(row))


def get_session(connection: Connection, session: Address) -> SessionRequest:
    """Return what a session was voted in on.

    Raises:
        RejectedInputError: the session was not handed in here.
    """
    raw = connection.scalar(select(sessions.c.request).where(sessions.c.session == session))
    if raw is None:
        raise _unknown(session)
    return _parse_session(raw)


def host_of(connection: Connection, session: Address) -> Address:
    """Return the host that handed a session in first. Raises as :func:`get_session`."""
    host = connection.scalar(select(sessions.c.host).where(sessions.c.session == session))
    if host is None:
        raise _unknown(session)
    return str(host)


def _unknown(session: Address) -> RejectedInputError:
    return RejectedInputError("hub.session", f"session {session} was not registered here")
