"""Events folded into what is true now. Order matters; the same events give the same views, however often.

Each event has one subject (a record, a study, a session, an organization, a measurement, a panel), and what an event
changes depends on its subject's events alone: so after a reorganisation only the touched subjects are folded again.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Table, insert, update

from nebula.database import insert_into
from nebula.ledger.client import organizations, panels, records, sessions, studies
from nebula.ledger.client.events import Event, LedgerEvent
from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.studies import StudyState
from nebula.ledger.index.tables import IndexTables

DECODERS = {
    "records": records.EVENTS,
    "studies": studies.EVENTS,
    "sessions": sessions.EVENTS,
    "organizations": organizations.EVENTS,
    "panels": panels.EVENTS,
}

_SUBJECT_FIELDS = {
    "records": "record",
    "studies": "study",
    "organizations": "organization",
    "panels": "panel",
}


def subject_of(event: Event) -> str:
    """Return what an event is about."""
    if isinstance(event, sessions.SessionRegistered):
        return event.session
    if isinstance(event, sessions.MeasurementApproved | sessions.MeasurementRevoked):
        return event.measurement
    subject: str = getattr(event, _SUBJECT_FIELDS[event.contract])
    return subject


def fold(connection: Connection, tables: IndexTables, events: Iterable[LedgerEvent]) -> None:
    """Apply events, in order, to the views."""
    last_of_record: dict[str, dict[str, Any]] = {}
    for item in events:
        if isinstance(item.event, records.Registered | records.Updated | records.Withdrawn):
            # A record's last event says all; a page of thousands is written at once.
            last_of_record[item.event.record] = _record_row(item.event, item.block_number)
        elif not isinstance(item.event, records.Refused):
            _APPLIERS[type(item.event)](connection, tables, item)
    _upsert(connection, tables.records, list(last_of_record.values()))


def _record_row(event: records.Registered | records.Updated | records.Withdrawn, block: int) -> dict[str, Any]:
    commitment = None if isinstance(event, records.Withdrawn) else event.commitment
    return {
        "subject": event.record,
        "commitment": commitment,
        "version": event.version,
        "live": int(commitment is not None),
        "changed_block": block,
    }


def _funded(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, studies.Funded)  # noqa: S101  # the table below says so
    row = {
        "subject": event.study,
        "state": int(StudyState.FUNDED),
        "buyer": event.buyer,
        "operator": event.operator,
        "terms_digest": event.terms_digest,
        "measurement": event.measurement,
        "price_wei": str(event.price_wei),
        "fee_wei": str(event.fee_wei),
        "max_records": event.max_records,
        "deadline": min(event.deadline, 2**63 - 1),
        "funded_block": item.block_number,
    }
    _upsert(connection, tables.studies, [row])


def _settled(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, studies.Settled)  # noqa: S101  # the table below says so
    end = {
        "state": int(StudyState.SETTLED),
        "ended_block": item.block_number,
        "run": event.run,
        "session": event.session,
        "receipt": event.receipt,
        "payout_root": event.payout_root,
        "result_digest": event.result_digest,
        "record_count": event.record_count,
        "owners_wei": str(event.owners_wei),
        "refund_wei": str(event.refund_wei),
    }
    _change(connection, tables.studies, event.study, end)


def _refunded(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, studies.Refunded)  # noqa: S101  # the table below says so
    end = {"state": int(StudyState.REFUNDED), "ended_block": item.block_number, "refund_wei": str(event.refund_wei)}
    _change(connection, tables.studies, event.study, end)


def _claimed(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, studies.Claimed)  # noqa: S101  # the table below says so
    payee = {"owner": event.owner, "receiver": event.receiver, "amount_wei": str(event.amount)}
    _upsert(connection, tables.claims, [_claim_row(item, event.study, event.index) | payee])


def _subtree_claimed(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, studies.SubtreeClaimed)  # noqa: S101  # the table below says so
    # All payouts of a sub-tree have one amount; their addresses are in the payout list, not in the event.
    amount_wei = str(event.amount_wei // max(1, len(event.indices)))
    payee = {"owner": None, "receiver": None, "amount_wei": amount_wei}
    _upsert(connection, tables.claims, [_claim_row(item, event.study, index) | payee for index in event.indices])


def _claim_row(item: LedgerEvent, study: str, index: int) -> dict[str, Any]:
    place = {"block_number": item.block_number, "transaction_hash": item.transaction_hash}
    return {"subject": study, "payout_index": index, **place}


def _session_registered(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, sessions.SessionRegistered)  # noqa: S101  # the table below says so
    row = {
        "subject": event.session,
        "study": event.study,
        "run": event.run,
        "measurement": event.measurement,
        "trust_root": event.trust_root,
        "evidence": event.evidence,
        "block_number": item.block_number,
    }
    _upsert(connection, tables.sessions, [row])


def _approved(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, sessions.MeasurementApproved)  # noqa: S101  # the table below says so
    approval = Approval.SIMULATED if event.simulated else Approval.GENUINE
    _measure(connection, tables, event.measurement, event.trust_root, approval)


def _revoked(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, sessions.MeasurementRevoked)  # noqa: S101  # the table below says so
    _measure(connection, tables, event.measurement, event.trust_root, Approval.NONE)


def _measure(connection: Connection, tables: IndexTables, measurement: str, root: str, approval: Approval) -> None:
    row = {"subject": measurement, "trust_root": root, "approval": int(approval)}
    _upsert(connection, tables.measurements, [row])


def _organization_registered(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, organizations.Registered)  # noqa: S101  # the table below says so
    row = {
        "subject": event.organization,
        "roles": event.roles,
        "standing_until": min(event.standing_until, 2**63 - 1),
        "name": event.name,
    }
    table = tables.organizations
    # A suspension outlives being entered again.
    if connection.execute(update(table).where(table.c.subject == event.organization).values(row)).rowcount == 0:
        connection.execute(insert(table).values(row | {"suspended": 0}))


def _renewed(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, organizations.Renewed)  # noqa: S101  # the table below says so
    standing = {"roles": event.roles, "standing_until": min(event.standing_until, 2**63 - 1)}
    _change(connection, tables.organizations, event.organization, standing)


def _seated(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, organizations.Seated)  # noqa: S101  # the table below says so
    _change(connection, tables.organizations, event.organization, {"country": event.country})


def _published(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
    event = item.event
    assert isinstance(event, panels.Published)  # noqa: S101  # the table below says so
    row = {
        "subject": event.panel,
        "publisher": event.publisher,
        "follows": None if event.follows == panels.NO_PANEL else event.follows,
        "name": event.name,
        "version": event.version,
        "block_number": item.block_number,
    }
    _upsert(connection, tables.panels, [row])


def _suspension(value: int) -> Callable[[Connection, IndexTables, LedgerEvent], None]:
    def apply(connection: Connection, tables: IndexTables, item: LedgerEvent) -> None:
        _change(connection, tables.organizations, subject_of(item.event), {"suspended": value})

    return apply


_APPLIERS: dict[type[Event], Callable[[Connection, IndexTables, LedgerEvent], None]] = {
    studies.Funded: _funded,
    studies.Settled: _settled,
    studies.Refunded: _refunded,
    studies.Claimed: _claimed,
    studies.SubtreeClaimed: _subtree_claimed,
    sessions.SessionRegistered: _session_registered,
    sessions.MeasurementApproved: _approved,
    sessions.MeasurementRevoked: _revoked,
    organizations.Registered: _organization_registered,
    organizations.Renewed: _renewed,
    organizations.Seated: _seated,
    organizations.Suspended: _suspension(1),
    organizations.Reinstated: _suspension(0),
    panels.Published: _published,
}


def _change(connection: Connection, table: Table, subject: str, values: dict[str, Any]) -> None:
    connection.execute(update(table).where(table.c.subject == subject).values(values))


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert_into(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)
