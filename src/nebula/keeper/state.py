"""What counts now of what a keeper keeps: enrolments, policies, approvals.

Enrolments and policies are kept as their owners signed them. Which of them *counts* is not written here: it is the
one that the record's slot on the ledger commits to, and that is looked up at every decision.

Which parts a record has is kept beside its shares, so that none need be opened to decide about a study.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Engine, Row, Select, select

from nebula.database import insert_or_ignore, open_database, writing
from nebula.keeper.ledger_view import Slot
from nebula.keeper.tables import DIGEST_BYTES, SCHEMA, approvals, enrolments, log_head, metadata, policies
from nebula.protocol.consent import ConsentPolicy, parse_policy
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.record import MANIFEST, Dealing, ShareBundle, part_name

_BETWEEN_PARTS = ","


@dataclass(frozen=True, slots=True)
class Holding:
    """What a keeper holds of a record under the policy that counts now."""

    record: Address
    manifest_commitment: Hash32
    manifest_location: str
    sealed_shares: bytes
    dealing: Dealing
    parts: frozenset[str]
    policy: ConsentPolicy


@dataclass(frozen=True, slots=True)
class CurrentPolicy:
    """The policy that counts now of a record, how the keys under it were dealt, and the names of its parts."""

    policy: ConsentPolicy
    dealing: Dealing
    parts: frozenset[str]


def open_state(url: str) -> Engine:
    """Open the keeper's database."""
    engine = open_database(url, metadata, party="keeper", version=SCHEMA)
    with writing(engine) as connection:
        connection.execute(insert_or_ignore(connection, log_head).values(one=1, sequence=0, hash=bytes(DIGEST_BYTES)))
    return engine


def current_policies(connection: Connection, slots: Mapping[Address, Slot]) -> dict[Address, CurrentPolicy]:
    """Return the policies that the slots commit to, under the shares held here; records without are left out."""
    return {
        row.record: CurrentPolicy(parse_policy(row.document), _dealing(row), _parts(row.parts))
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
            parts=_parts(row.parts),
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
    dealt = (enrolments.c.keepers, enrolments.c.threshold, enrolments.c.parts)
    chosen = select(*own, *dealt, *more).join_from(policies, enrolments, same)
    return chosen.where(policies.c.record.in_(list(slots)))


def _dealing(row: Row[Any]) -> Dealing:
    return Dealing(keepers=row.keepers, threshold=row.threshold)


def parts_column(bundle: ShareBundle) -> str:
    """Return what is kept of a bundle's parts: their names, in one order, so that like records have like columns."""
    names = {part_name(share.kind, share.panel) for share in bundle.shares if share.part_id != MANIFEST}
    return _BETWEEN_PARTS.join(sorted(names))


@lru_cache(maxsize=4096)  # there are few different ones, and so the sets are shared
def _parts(column: str) -> frozenset[str]:
    return frozenset(column.split(_BETWEEN_PARTS)) if column else frozenset()


def _counts(slot: Slot, version: int, record_commitment: bytes) -> bool:
    return (slot.version, slot.commitment) == (version, record_commitment)


def approved_records(connection: Connection, study: Hash32, records: Sequence[Address] | None = None) -> set[Address]:
    """Return the records whose owners approved a study; all of them, or those among ``records``."""
    chosen = select(approvals.c.record).where(approvals.c.study == study)
    if records is not None:
        chosen = chosen.where(approvals.c.record.in_(records))
    return set(connection.scalars(chosen))


def pages(records: Iterable[Address], size: int) -> Iterable[list[Address]]:
    """Cut records into lists of at most ``size``."""
    listed = list(records)
    return (listed[start : start + size] for start in range(0, len(listed), size))
