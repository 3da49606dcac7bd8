"""The keeper's tables, and the small reads and writes on them.

Enrolments and policies are kept as their owners signed them. Which of them *counts* is not written here: it is the
one that the record's slot on the ledger commits to, and that is looked up at every decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    true,
    update,
)

from nebula.database import insert_or_ignore, open_database, writing
from nebula.database.replay import seen_messages_table
from nebula.keeper.ledger_view import Slot
from nebula.protocol.consent import ConsentPolicy, parse_policy
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.record import Dealing

SCHEMA = 2
ADDRESS, HASH, DIGEST_BYTES, COMMITMENT_BYTES = 42, 66, 32, 26

tables = MetaData()
seen_messages = seen_messages_table(tables)

enrolments = Table(
    "enrolments",
    tables,
    Column("record", String(ADDRESS), primary_key=True),
    Column("manifest_commitment", String(HASH), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("manifest_location", String(1000), nullable=False),
    Column("sealed_shares", LargeBinary, nullable=False),
    Column("keepers", Integer, nullable=False),
    Column("threshold", Integer, nullable=False),
    sqlite_strict=True,
)

policies = Table(
    "policies",
    tables,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("record", String(ADDRESS), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("record_commitment", LargeBinary(COMMITMENT_BYTES), nullable=False),
    Column("manifest_commitment", String(HASH), nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("record", "version", "record_commitment"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

approvals = Table(
    "approvals",
    tables,
    Column("record", String(ADDRESS), primary_key=True),
    Column("study", String(HASH), primary_key=True, index=True),
    sqlite_strict=True,
)

studies = Table(
    "studies",
    tables,
    Column("study", String(HASH), primary_key=True),
    Column("deadline", BigInteger, nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
    sqlite_strict=True,
)

nonces = Table(
    "nonces",
    tables,
    Column("study", String(HASH), primary_key=True),
    Column("run", String(HASH), primary_key=True),
    Column("session", String(ADDRESS), primary_key=True),
    Column("nonce", LargeBinary(DIGEST_BYTES), nullable=False),
    Column("issued", BigInteger, nullable=False, index=True),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    tables,
    Column("session", String(ADDRESS), primary_key=True),
    Column("evidence", LargeBinary, nullable=False),
    Column("collateral", LargeBinary, nullable=False),
    Column("vote", LargeBinary, nullable=False),
    Column("simulated", Integer, nullable=False),
    sqlite_strict=True,
)

cohorts = Table(
    "cohorts",
    tables,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("session", String(ADDRESS), nullable=False),
    Column("piece", Integer, nullable=False),
    Column("buyer", String(ADDRESS), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("sealed_share", LargeBinary, nullable=False),
    UniqueConstraint("session", "piece"),
    Index("cohorts_by_buyer", "buyer", "sequence"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

budgets = Table(
    "budgets",
    tables,
    Column("record", String(ADDRESS), primary_key=True),
    Column("spent_micro_rho", BigInteger, nullable=False),
    sqlite_strict=True,
)

uses = Table(
    "uses",
    tables,
    Column("record", String(ADDRESS), primary_key=True),
    Column("run", String(HASH), primary_key=True, index=True),
    Column("micro_rho", BigInteger, nullable=False),
    sqlite_strict=True,
)

draws = Table(
    "draws",
    tables,
    Column("record", String(ADDRESS), primary_key=True),
    Column("run", String(HASH), primary_key=True, index=True),
    Column("session", String(ADDRESS), primary_key=True),
    sqlite_strict=True,
)

tellings = Table(
    "tellings",
    tables,
    Column("run", String(HASH), primary_key=True),
    Column("session", String(ADDRESS), primary_key=True),
    Column("draw", String(HASH), primary_key=True),
    Column("buyer", String(ADDRESS), primary_key=True),
    Column("micro_rho", BigInteger, nullable=False),
    sqlite_strict=True,
)

decisions = Table(
    "decisions",
    tables,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("record", String(ADDRESS), nullable=False),
    Column("session", String(ADDRESS), nullable=False),
    Column("hash", LargeBinary(DIGEST_BYTES), nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Index("decisions_by_record", "record", "sequence"),
    Index("decisions_by_session", "session", "record", "sequence"),
    sqlite_strict=True,
)

log_head = Table(
    "log_head",
    tables,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary(DIGEST_BYTES), nullable=False),
    sqlite_strict=True,
)


@dataclass(frozen=True, slots=True)
class Holding:
    """What a keeper holds of a record under the policy that counts now."""

    record: Address
    manifest_commitment: Hash32
    manifest_location: str
    sealed_shares: bytes
    dealing: Dealing
    policy: ConsentPolicy


@dataclass(frozen=True, slots=True)
class CurrentPolicy:
    """The policy that counts now of a record, and how the keys under it were dealt."""

    policy: ConsentPolicy
    dealing: Dealing


def open_state(url: str) -> Engine:
    """Open the keeper's database."""
    engine = open_database(url, tables, party="keeper", version=SCHEMA)
    with writing(engine) as connection:
        connection.execute(insert_or_ignore(connection, log_head).values(one=1, sequence=0, hash=bytes(DIGEST_BYTES)))
    return engine


def current_policies(connection: Connection, slots: Mapping[Address, Slot]) -> dict[Address, CurrentPolicy]:
    """Return the policies that the slots commit to, under the shares held here; records without are left out."""
    return {
        row.record: CurrentPolicy(parse_policy(row.document), _dealing(row))
        for row in connection.execute(_with_enrolment(slots))
        if _counts(slots[row.record], row.version, row.record_commitment)
    }


def current_holdings(connection: Connection, slots: Mapping[Address, Slot]) -> dict[Address, Holding]:
    """Return shares and policy of every record that the slots commit to; the others are left out."""
    chosen = _with_enrolment(
        slots, enrolments.c.manifest_commitment, enrolments.c.manifest_location, enrolments.c.sealed_shares
    )
    return {
        row.record: Holding(
            record=row.record,
            manifest_commitment=row.manifest_commitment,
            manifest_location=row.manifest_location,
            sealed_shares=row.sealed_shares,
            dealing=_dealing(row),
            policy=parse_policy(row.document),
        )
        for row in connection.execute(chosen)
        if _counts(slots[row.record], row.version, row.record_commitment)
    }


def _with_enrolment(slots: Mapping[Address, Slot], *more: Column[Any]) -> Select[Any]:
    """Choose the records' policies, each beside the enrolment under its manifest."""
    own = (policies.c.record, policies.c.version, policies.c.record_commitment, policies.c.document)
    same = (policies.c.record == enrolments.c.record) & (
        policies.c.manifest_commitment == enrolments.c.manifest_commitment
    )
    chosen = select(*own, enrolments.c.keepers, enrolments.c.threshold, *more).join_from(policies, enrolments, same)
    return chosen.where(policies.c.record.in_(list(slots)))


def _dealing(row: Row[Any]) -> Dealing:
    return Dealing(keepers=row.keepers, threshold=row.threshold)


def _counts(slot: Slot, version: int, record_commitment: bytes) -> bool:
    return (slot.version, slot.commitment) == (version, record_commitment)


def approved_records(connection: Connection, study: Hash32, records: Sequence[Address] | None = None) -> set[Address]:
    """Return the records whose owners approved a study; all of them, or those among ``records``."""
    chosen = select(approvals.c.record).where(approvals.c.study == study)
    if records is not None:
        chosen = chosen.where(approvals.c.record.in_(records))
    return set(connection.scalars(chosen))


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


def pages(records: Iterable[Address], size: int) -> Iterable[list[Address]]:
    """Cut records into lists of at most ``size``."""
    listed = list(records)
    return (listed[start : start + size] for start in range(0, len(listed), size))
