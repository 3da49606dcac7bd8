"""An event as a row, and back."""

from typing import Any

import msgspec

from nebula.ledger.client import organizations, panels, records, sessions, studies
from nebula.ledger.client.events import Event, LedgerEvent
from nebula.ledger.index.views import subject_of

_KINDS: dict[str, type[Event]] = {
    f"{kind.contract}.{kind.__name__}": kind
    for kind in (
        records.Registered,
        records.Updated,
        records.Withdrawn,
        records.Refused,
        studies.Funded,
        studies.Settled,
        studies.Refunded,
        studies.Claimed,
        studies.SubtreeClaimed,
        sessions.MeasurementApproved,
        sessions.MeasurementRevoked,
        sessions.SessionRegistered,
        organizations.Registered,
        organizations.Renewed,
        organizations.Suspended,
        organizations.Reinstated,
        organizations.Seated,
        panels.Published,
    )
}


def kind_of(event: Event) -> str:
    """Return an event's name with its contract, such as ``studies.Settled``."""
    return f"{event.contract}.{type(event).__name__}"


def event_row(item: LedgerEvent) -> dict[str, Any]:
    """Return the row that holds an event."""
    return {
        "block_number": item.block_number,
        "log_index": item.log_index,
        "block_hash": item.block_hash,
        "transaction_hash": item.transaction_hash,
        "address": item.address,
        "kind": kind_of(item.event),
        "subject": subject_of(item.event),
        "content": msgspec.json.encode(item.event).decode(),
    }


def event_from_row(row: Any) -> LedgerEvent:
    """Return the event that a row holds."""
    return LedgerEvent(
        block_number=row["block_number"],
        log_index=row["log_index"],
        block_hash=row["block_hash"],
        transaction_hash=row["transaction_hash"],
        address=row["address"],
        event=msgspec.json.decode(row["content"], type=_KINDS[row["kind"]]),
    )
