"""Which records a vault has, and how far each has come: what its modules ask of its tables and keep in them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from nebula.protocol.consent import ConsentPolicy, parse_policy
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import Enrolment
from nebula.protocol.wire import parser, to_canonical
from nebula.vault.tables import enrolments, records

_parse_enrolment = parser(Enrolment)


class Stage(StrEnum):
    """How far a record has come. Each stage is reached in one transaction and can be gone on from."""

    STORED = "stored"  # parts and manifest are on storage
    SPLIT = "split"  # shares are sealed to every keeper
    ACCEPTED = "accepted"  # every keeper has said yes
    REGISTERED = "registered"  # the ledger has it
    WITHDRAWN = "withdrawn"


WAITING = (Stage.STORED, Stage.SPLIT, Stage.ACCEPTED)
"""The stages on the way to the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as the vault knows it. ``donor``: the custodian's number of this donor; None for an owner's own."""

    record: Address
    donor: int | None
    key_index: int
    label: str
    stage: Stage
    version: int
    manifest_location: str
    manifest_commitment: Hash32
    mailbox: bytes
    policy: ConsentPolicy


def add_records(connection: Connection, new: Sequence[Record]) -> None:
    """Keep records that are on storage."""
    connection.execute(insert(records), [_row(record) for record in new])


def get_record(connection: Connection, record: Address) -> Record:
    """Return one record.

    Raises:
        RejectedInputError: the vault has none of that id.
    """
    row = connection.execute(select(records).where(records.c.record == record)).mappings().one_or_none()
    if row is None:
        raise RejectedInputError(
            "vault.record", f"this vault has no record {record}", hint="`nebula record list` shows those it has"
        )
    return _record(dict(row))


def records_called(connection: Connection, label: str) -> list[Record]:
    """Return the records of a label."""
    rows = connection.execute(select(records).where(records.c.label == label).order_by(records.c.record)).mappings()
    return [_record(dict(row)) for row in rows]


def records_beginning(connection: Connection, prefix: str, *, limit: int = 10) -> list[Record]:
    """Return some of the records whose id begins so."""
    chosen = select(records).where(records.c.record.startswith(prefix, autoescape=True)).order_by(records.c.record)
    return [_record(dict(row)) for row in connection.execute(chosen.limit(limit)).mappings()]


def labels(connection: Connection) -> set[str]:
    """Return the labels of all records."""
    return set(connection.scalars(select(records.c.label)))


def next_donor(connection: Connection) -> int:
    """Return the number of a custodian's next donor."""
    return int(connection.scalar(select(func.coalesce(func.max(records.c.donor) + 1, 0))) or 0)


def next_key_index(connection: Connection) -> int:
    """Return the index of an owner's next control key."""
    own = select(func.coalesce(func.max(records.c.key_index) + 1, 0)).where(records.c.donor.is_(None))
    return int(connection.scalar(own) or 0)


def at_stage(connection: Connection, stage: Stage, *, limit: int) -> list[Record]:
    """Return some of the records that wait at a stage."""
    rows = connection.execute(
        select(records).where(records.c.stage == stage.value).order_by(records.c.record).limit(limit)
    ).mappings()
    return [_record(dict(row)) for row in rows]


def all_at_stage(connection: Connection, stage: Stage) -> list[Record]:
    """Return all the records that wait at a stage."""
    chosen = select(records).where(records.c.stage == stage.value).order_by(records.c.record)
    return [_record(dict(row)) for row in connection.execute(chosen).mappings()]


def page_of_records(connection: Connection, *, after: str = "", limit: int = 1000) -> list[Record]:
    """Return a page of records, by id."""
    rows = connection.execute(
        select(records).where(records.c.record > after).order_by(records.c.record).limit(limit)
    ).mappings()
    return [_record(dict(row)) for row in rows]


def every_record(connection: Connection) -> list[Record]:
    """Return all records, by id."""
    return [_record(dict(row)) for row in connection.execute(select(records).order_by(records.c.record)).mappings()]


def count_by_stage(connection: Connection) -> dict[str, int]:
    """Return how many records are at each stage."""
    rows = connection.execute(select(records.c.stage, func.count()).group_by(records.c.stage)).all()
    return {str(stage): int(count) for stage, count in rows}


def move(connection: Connection, ids: Collection[Address], stage: Stage, *, after: Stage) -> None:
    """Note that those of some records that still are at stage ``after`` have reached the next one."""
    still = records.c.record.in_(ids) & (records.c.stage == after.value)
    connection.execute(update(records).where(still).values(stage=stage.value))


def withdraw(connection: Connection, known: Sequence[Record]) -> list[Record]:
    """Note that the consent of records has ended, of each that still is what was known of it; return the others.

    Nothing more of those that are noted goes to a keeper. The others are returned as they are now, without those that
    another command has noted meanwhile.
    """
    changed = [one for one in known if not _keep_end(connection, one)]
    now = [get_record(connection, one.record) for one in changed]
    return [one for one in now if one.stage is not Stage.WITHDRAWN]


def _keep_end(connection: Connection, known: Record) -> bool:
    if not connection.execute(update(records).where(_is_still(known)).values(stage=Stage.WITHDRAWN.value)).rowcount:
        return False
    connection.execute(delete(enrolments).where(enrolments.c.record == known.record))
    return True


def replace_record(connection: Connection, known: Record, new: Record) -> bool:
    """Keep what a record is now, unless it is no more what was known of it; return whether it was kept.

    What was prepared for keepers of the record as it was is gone with it.
    """
    if not connection.execute(update(records).where(_is_still(known)).values(_row(new))).rowcount:
        return False
    connection.execute(delete(enrolments).where(enrolments.c.record == known.record))
    return True


def set_policy(connection: Connection, record: Address, policy: ConsentPolicy, *, version: int) -> None:
    """Keep a record's new policy and version."""
    connection.execute(
        update(records).where(records.c.record == record).values(policy=to_canonical(policy), version=version)
    )


def add_enrolments(connection: Connection, messages: Sequence[tuple[Address, Enrolment]]) -> set[Address]:
    """Keep what is to be sent to keepers, before any of it is sent: a second split would not fit the first.

    Returns:
        The records of which it was kept: those that still are stored, in the version that was split.
    """
    split = {message.record: message.version for _, message in messages}
    stored = records.c.record.in_(list(split)) & (records.c.stage == Stage.STORED.value)
    found = connection.execute(select(records.c.record, records.c.version).where(stored))
    still = {str(record) for record, version in found if split[record] == version}
    rows = [
        {"record": message.record, "keeper": keeper, "accepted": 0, "message": to_canonical(message)}
        for keeper, message in messages
        if message.record in still
    ]
    if rows:
        connection.execute(insert(enrolments), rows)
    return still


def unaccepted(connection: Connection, keeper: Address, *, limit: int) -> list[Enrolment]:
    """Return enrolments that a keeper has not accepted yet."""
    rows = connection.scalars(
        select(enrolments.c.message)
        .where(enrolments.c.keeper == keeper, enrolments.c.accepted == 0)
        .order_by(enrolments.c.record)
        .limit(limit)
    )
    return [_parse_enrolment(raw) for raw in rows]


def accept(connection: Connection, keeper: Address, ids: Sequence[Address]) -> None:
    """Note a keeper's acceptances; a record that every keeper accepted moves on, and its messages may go."""
    connection.execute(
        update(enrolments).where(enrolments.c.keeper == keeper, enrolments.c.record.in_(ids)).values(accepted=1)
    )
    waiting = select(enrolments.c.record).where(enrolments.c.record.in_(ids), enrolments.c.accepted == 0)
    connection.execute(
        update(records)
        .where(records.c.record.in_(ids), records.c.record.not_in(waiting), records.c.stage == Stage.SPLIT.value)
        .values(stage=Stage.ACCEPTED.value)
    )


def _is_still(known: Record) -> ColumnElement[bool]:
    return (
        (records.c.record == known.record)
        & (records.c.stage == known.stage.value)
        & (records.c.version == known.version)
        & (records.c.manifest_commitment == known.manifest_commitment)
    )


def _row(record: Record) -> dict[str, object]:
    return {
        "record": record.record,
        "donor": record.donor,
        "key_index": record.key_index,
        "label": record.label,
        "stage": record.stage.value,
        "version": record.version,
        "manifest_location": record.manifest_location,
        "manifest_commitment": record.manifest_commitment,
        "mailbox": record.mailbox,
        "policy": to_canonical(record.policy),
    }


def _record(row: dict[str, object]) -> Record:
    policy, stage = bytes(row.pop("policy")), Stage(row.pop("stage"))  # type: ignore[call-overload, arg-type]
    return Record(**row, policy=parse_policy(policy), stage=stage)  # type: ignore[arg-type]
