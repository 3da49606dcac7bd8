"""What the index answers: the state of each thing on the ledger, read off its row."""

from dataclasses import dataclass
from typing import Any

from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.studies import StudyState
from nebula.protocol.ids import Address, Hash32


@dataclass(frozen=True, slots=True)
class RecordView:
    """What the ledger says of a record. ``commitment``: 26 bytes; None when withdrawn."""

    record: Address
    commitment: bytes | None
    version: int
    live: bool
    changed_block: int


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study from its funding to its end; what only a settled one has is None before."""

    study: Hash32
    state: StudyState
    buyer: Address
    operator: Address
    terms_digest: Hash32
    measurement: Hash32
    price_wei: int
    fee_wei: int
    max_records: int
    deadline: int
    funded_block: int
    ended_block: int | None
    run: Hash32 | None
    session: Address | None
    receipt: Hash32 | None
    payout_root: Hash32 | None
    result_digest: Hash32 | None
    record_count: int | None
    owners_wei: int | None
    refund_wei: int | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session that keepers vouched for."""

    session: Address
    study: Hash32
    run: Hash32
    measurement: Hash32
    trust_root: Hash32
    evidence: Hash32
    block_number: int


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A payout that was paid. ``owner`` and ``receiver`` are None where a whole sub-tree was paid at once."""

    study: Hash32
    payout_index: int
    owner: Address | None
    receiver: Address | None
    amount_wei: int
    block_number: int
    transaction_hash: Hash32


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """A verified organization; whether it is in good standing now depends on the time as well."""

    organization: Address
    roles: int
    standing_until: int
    name: str
    suspended: bool
    country: str | None


@dataclass(frozen=True, slots=True)
class MeasurementView:
    """What the governor last said of a measurement under a trust root."""

    measurement: Hash32
    trust_root: Hash32
    approval: Approval


@dataclass(frozen=True, slots=True)
class PanelView:
    """A published panel. ``follows``: the one before it of its publisher and name; None for the first."""

    panel: Hash32
    publisher: Address
    follows: Hash32 | None
    name: str
    version: str
    block_number: int


def record_view(row: Any) -> RecordView:
    """Read a record off its row."""
    return RecordView(row["subject"], row["commitment"], row["version"], bool(row["live"]), row["changed_block"])


def study_view(row: Any) -> StudyView:
    """Read a study off its row."""
    values = {name: row[name] for name in StudyView.__dataclass_fields__ if name not in ("study", "state")}
    for name in ("price_wei", "fee_wei", "owners_wei", "refund_wei"):
        values[name] = None if row[name] is None else int(row[name])
    return StudyView(study=row["subject"], state=StudyState(row["state"]), **values)


def session_view(row: Any) -> SessionView:
    """Read a session off its row."""
    names = ("study", "run", "measurement", "trust_root", "evidence", "block_number")
    return SessionView(row["subject"], *(row[name] for name in names))


def claim_view(row: Any) -> ClaimView:
    """Read a paid payout off its row."""
    return ClaimView(
        study=row["subject"],
        payout_index=row["payout_index"],
        owner=row["owner"],
        receiver=row["receiver"],
        amount_wei=int(row["amount_wei"]),
        block_number=row["block_number"],
        transaction_hash=row["transaction_hash"],
    )


def organization_view(row: Any) -> OrganizationView:
    """Read an organization off its row."""
    return OrganizationView(
        organization=row["subject"],
        roles=row["roles"],
        standing_until=row["standing_until"],
        name=row["name"],
        suspended=bool(row["suspended"]),
        country=row["country"],
    )


def measurement_view(row: Any) -> MeasurementView:
    """Read what holds of a measurement off its row."""
    return MeasurementView(row["subject"], row["trust_root"], Approval(row["approval"]))


def panel_view(row: Any) -> PanelView:
    """Read a published panel off its row."""
    names = ("publisher", "follows", "name", "version", "block_number")
    return PanelView(row["subject"], *(row[name] for name in names))
