"""Delete what a keeper no longer needs: shares of withdrawn records, superseded policies, studies that are over.

A withdrawal counts at once; its shares are deleted when it stands ``confirmations`` deep, because a reorganised ledger
may take it back. An enrolment under a version beyond the withdrawal stays: its owner is coming back.
What a record spent of its privacy budget, and the log, are never deleted.
"""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select

from nebula.database import reading, writing
from nebula.keeper.context import Keeper
from nebula.keeper.ledger_view import Slot
from nebula.keeper.tables import approvals, enrolments, policies, studies
from nebula.protocol.ids import Address

_PAGE = 1000


def forget(keeper: Keeper, *, at: datetime) -> int:
    """Delete what is not needed any more, and return how many records' shares went."""
    newest = keeper.ledger.newest_block()
    deep = keeper.ledger.block(newest.number - keeper.confirmations)
    with writing(keeper.engine) as connection:
        connection.execute(delete(studies).where(studies.c.deadline < int(at.timestamp())))
    if deep is None:
        return 0
    forgotten, after = 0, ""
    while True:
        with reading(keeper.engine) as connection:
            page = _records(connection, after)
        if not page:
            return forgotten
        slots = keeper.ledger.slots(page, deep)
        forgotten += _forget_page(keeper, slots)
        after = page[-1]


def _forget_page(keeper: Keeper, slots: dict[Address, Slot]) -> int:
    with writing(keeper.engine) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")  # overwrite, do not only unlink
        return sum(_forget_record(connection, record, slot) for record, slot in slots.items() if slot.version)


def _forget_record(connection: Connection, record: Address, slot: Slot) -> bool:
    """Delete policies that the ledger has gone beyond, then shares that no policy needs."""
    gone = policies.c.version <= slot.version if slot.is_withdrawn else policies.c.version < slot.version
    connection.execute(delete(policies).where(policies.c.record == record, gone))
    unneeded = ~exists(
        select(policies.c.record).where(
            policies.c.record == enrolments.c.record,
            policies.c.manifest_commitment == enrolments.c.manifest_commitment,
        )
    )
    deleted = connection.execute(
        delete(enrolments).where(enrolments.c.record == record, enrolments.c.version <= slot.version, unneeded)
    ).rowcount
    if slot.is_withdrawn and deleted:
        connection.execute(delete(approvals).where(approvals.c.record == record))
    return slot.is_withdrawn and deleted > 0


def _records(connection: Connection, after: str) -> list[Address]:
    chosen = select(enrolments.c.record).where(enrolments.c.record > after).distinct()
    return list(connection.scalars(chosen.order_by(enrolments.c.record).limit(_PAGE)))
