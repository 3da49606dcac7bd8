"""What is spent of each record's privacy budget, and of each buyer's part of a discovery's.

A record pays once for a run, whichever sessions of it ask, and again for each further session that may hold a draw of
noise. What buyers were told is noted before it is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, insert, select, true, update

from nebula.database import insert_or_ignore
from nebula.keeper.tables import budgets, draws, tellings, uses
from nebula.protocol.ids import Address, Hash32


def spent_budgets(connection: Connection, records: Sequence[Address] | None = None) -> dict[Address, int]:
    """Return what records have spent of their privacy budget, in micro-rho; those that spent nothing may be absent."""
    chosen = select(budgets.c.record, budgets.c.spent_micro_rho)
    if records is not None:
        chosen = chosen.where(budgets.c.record.in_(records))
    return dict(connection.execute(chosen).tuples().all())


def used_in(connection: Connection, run: Hash32, records: Sequence[Address] | None = None) -> set[Address]:
    """Return those of the records that were released to a run already; without ``records``, all that were."""
    chosen = select(uses.c.record).where(uses.c.run == run)
    if records is not None:
        chosen = chosen.where(uses.c.record.in_(records))
    return set(connection.scalars(chosen))


def spend(connection: Connection, run: Hash32, charges: Mapping[Address, int]) -> None:
    """Note that records are used in a run, and take what each pays off its budget. The log's head must be locked."""
    if not charges:
        return
    rows = [{"record": record, "run": run, "micro_rho": micro_rho} for record, micro_rho in charges.items()]
    connection.execute(insert(uses), rows)
    fresh = [{"record": record, "spent_micro_rho": 0} for record in charges]
    connection.execute(insert_or_ignore(connection, budgets), fresh)
    _charge_budgets(connection, charges)


def drawn_by(connection: Connection, run: Hash32, records: Sequence[Address]) -> dict[Address, set[Address]]:
    """Return, for each record that has any, the sessions of a run that noise over it was confirmed to."""
    chosen = select(draws.c.record, draws.c.session).where(draws.c.run == run, draws.c.record.in_(records))
    found: dict[Address, set[Address]] = {}
    for record, session in connection.execute(chosen).tuples():
        found.setdefault(record, set()).add(session)
    return found


def note_draws(connection: Connection, run: Hash32, session: Address, records: Sequence[Address]) -> None:
    """Note that a session may have drawn noise over records; noting it again changes nothing."""
    rows = [{"record": record, "run": run, "session": session} for record in records]
    if rows:
        connection.execute(insert_or_ignore(connection, draws), rows)


def spend_again(connection: Connection, run: Hash32, charges: Mapping[Address, int]) -> None:
    """Take what records pay off budgets that have paid for the run before. The log's head must be locked."""
    for micro_rho, records in _by_charge(charges):
        used = (uses.c.run == run) & uses.c.record.in_(records)
        connection.execute(update(uses).where(used).values(micro_rho=uses.c.micro_rho + micro_rho))
    _charge_budgets(connection, charges)


def _charge_budgets(connection: Connection, charges: Mapping[Address, int]) -> None:
    for micro_rho, records in _by_charge(charges):
        connection.execute(
            update(budgets)
            .where(budgets.c.record.in_(records))
            .values(spent_micro_rho=budgets.c.spent_micro_rho + micro_rho)
        )


def _by_charge(charges: Mapping[Address, int]) -> Iterable[tuple[int, list[Address]]]:
    """Put records together that pay alike: most are dealt alike, so most pages take one statement."""
    alike: dict[int, list[Address]] = {}
    for record, micro_rho in charges.items():
        alike.setdefault(micro_rho, []).append(record)
    return alike.items()


@dataclass(frozen=True, slots=True)
class Told:
    """What a discovery has told: to one buyer, and to all. A draw that several were told was drawn once.

    ``draw_to_buyer``, ``draw_to_anyone``: whether this draw was told before.
    """

    buyer_micro_rho: int
    run_micro_rho: int
    draw_to_buyer: bool
    draw_to_anyone: bool


def told_in(connection: Connection, run: Hash32, session: Address, draw: Hash32, buyer: Address) -> Told:
    """Return what a discovery has told so far. The log's head must be locked."""
    of_run = tellings.c.run == run
    this = (tellings.c.session == session) & (tellings.c.draw == draw)
    draws = select(tellings.c.session, tellings.c.draw, tellings.c.micro_rho).where(of_run).distinct().subquery()
    to = set(connection.scalars(select(tellings.c.buyer).where(of_run, this)))
    return Told(
        buyer_micro_rho=_total(connection, tellings.c.micro_rho, of_run & (tellings.c.buyer == buyer)),
        run_micro_rho=_total(connection, draws.c.micro_rho, true()),
        draw_to_buyer=buyer in to,
        draw_to_anyone=bool(to),
    )


def note_telling(  # noqa: PLR0917 - a row
    connection: Connection, run: Hash32, session: Address, draw: Hash32, buyer: Address, micro_rho: int
) -> None:
    """Note that a buyer is told a draw. The log's head must be locked."""
    row = {"run": run, "session": session, "draw": draw, "buyer": buyer, "micro_rho": micro_rho}
    connection.execute(insert(tellings).values(row))


def _total(connection: Connection, column: ColumnElement[int], where: ColumnElement[bool]) -> int:
    return int(connection.scalar(select(func.coalesce(func.sum(column), 0)).where(where)) or 0)
