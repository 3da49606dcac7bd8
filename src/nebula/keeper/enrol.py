"""Step 2: keep an owner's shares.

An enrolment is accepted when, in this order: (1) the record's control key signed it; (2) its policy is for this record;
(3) its bundle opens with my key, in this record's context, and names the same record and manifest; (4) it holds
one share for the manifest and for each part, all of one index, among those that were dealt; (5) it does not go back
behind what I hold.

Other shares under the manifest of an enrolment that I hold go back behind it, unless their version is higher, or it is
the same one and the ledger has nothing of that version yet: a vault that was set back to an older copy of itself splits
anew, and nobody else can have made or seen what is sealed to me and signed by the control key.

It then *waits*: it counts from the block on in which the ledger's slot commits to it. A page is one transaction, and
each record of it stands for itself: those refused do not hold up the others. Sending a page again changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select

from nebula.database import insert_or_ignore, reading, writing
from nebula.keeper.context import Keeper
from nebula.keeper.state import parts_column
from nebula.keeper.tables import enrolments, policies
from nebula.protocol.consent import ConsentPolicy, policy_commitment, record_commitment
from nebula.protocol.errors import IntegrityError, NebulaError, RejectedInputError
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.messages import Acceptance, EnrolAnswer, Enrolment, EnrolRequest, ErrorAnswer, RefusedEnrolment
from nebula.protocol.record import MANIFEST, SHARES_INFO, ShareBundle, enrolment_context, parse_bundle
from nebula.protocol.sealing import open_sealed
from nebula.protocol.signed_by_control_key import UNSIGNED, check_document, sign_document
from nebula.protocol.wire import to_canonical

MAX_WAITING = 16
"""How many policies of one record may wait for the ledger."""


def enrol(keeper: Keeper, request: EnrolRequest) -> EnrolAnswer:
    """Keep a page of enrolments."""
    accepted: list[Acceptance] = []
    refused: list[RefusedEnrolment] = []
    checked: list[tuple[Enrolment, ShareBundle]] = []
    for enrolment in request.enrolments:
        try:
            checked.append((enrolment, check_enrolment(keeper, enrolment)))
        except NebulaError as error:
            refused.append(refusal(enrolment.record, error))
    unregistered = _unregistered(keeper, [enrolment for enrolment, _bundle in checked])
    with writing(keeper.engine) as connection:
        for enrolment, bundle in checked:
            try:
                _keep(connection, enrolment, bundle, may_replace=enrolment.record in unregistered)
            except NebulaError as error:
                refused.append(refusal(enrolment.record, error))
            else:
                accepted.append(acceptance(keeper, enrolment.policy, enrolment.version, enrolment.manifest_commitment))
    return EnrolAnswer(accepted=tuple(accepted), refused=tuple(refused))


def check_enrolment(keeper: Keeper, enrolment: Enrolment) -> ShareBundle:
    """Return what an enrolment seals to this keeper, after the checks (1) to (4).

    Raises:
        RejectedInputError, IntegrityError: the first check that failed.
    """
    check_document(enrolment, enrolment.record)
    if enrolment.policy.record != enrolment.record:
        raise RejectedInputError("enrol.policy", "the policy is another record's")
    bundle = open_bundle(keeper, enrolment.record, enrolment.manifest_commitment, enrolment.sealed_shares)
    if bundle.shares[0].index > enrolment.dealing.keepers:
        raise RejectedInputError("enrol.dealing", "the shares have a higher index than the keepers that there are")
    return bundle


def open_bundle(keeper: Keeper, record: Address, manifest_commitment: Hash32, sealed: bytes) -> ShareBundle:
    """Open what an owner sealed to this keeper.

    Raises:
        IntegrityError: it does not open here, or was made for another record.
        RejectedInputError: it is not one share for each part, all of one index.
    """
    context = enrolment_context(record, manifest_commitment, keeper.address)
    bundle = parse_bundle(open_sealed(keeper.sealing_key, sealed, info=SHARES_INFO, aad=context).reveal())
    if (bundle.record, bundle.manifest_commitment) != (record, manifest_commitment):
        raise IntegrityError("enrol.bundle", "the shares are another record's")
    parts = [share.part_id for share in bundle.shares]
    if len(set(parts)) != len(parts) or MANIFEST not in parts or len({share.index for share in bundle.shares}) != 1:
        raise RejectedInputError("enrol.shares", "there must be one share for the manifest and each part, of one index")
    return bundle


def acceptance(keeper: Keeper, policy: ConsentPolicy, version: int, manifest_commitment: Hash32) -> Acceptance:
    """Return this keeper's signed word that it holds a record's shares under a policy."""
    commitment = record_commitment(to_bytes(manifest_commitment), policy_commitment(policy))
    unsigned = Acceptance(
        record=policy.record, version=version, record_commitment=to_hex(commitment), signature=UNSIGNED
    )
    return sign_document(unsigned, keeper.signing_key)


def refusal(record: Address, error: NebulaError) -> RefusedEnrolment:
    """Return why one record of a page was refused."""
    answer = ErrorAnswer.of(error)
    return RefusedEnrolment(record=record, error=answer)


def keep_policy(connection: Connection, policy: ConsentPolicy, version: int, manifest_commitment: Hash32) -> None:
    """Keep a policy until the ledger says whether it counts; keeping it again changes nothing.

    Raises:
        RejectedInputError: ``policy.waiting``; too many of this record wait already.
    """
    commitment = record_commitment(to_bytes(manifest_commitment), policy_commitment(policy))
    row = {
        "record": policy.record,
        "version": version,
        "record_commitment": commitment,
        "manifest_commitment": manifest_commitment,
        "document": to_canonical(policy),
    }
    added = connection.execute(insert_or_ignore(connection, policies).values(row)).rowcount
    mine = select(func.count()).select_from(policies).where(policies.c.record == policy.record)
    if added and connection.scalars(mine).one() > MAX_WAITING:
        connection.execute(
            delete(policies).where(
                policies.c.record == policy.record,
                policies.c.version == version,
                policies.c.record_commitment == commitment,
            )
        )
        raise RejectedInputError(
            "policy.waiting",
            f"{MAX_WAITING} policies of this record wait for the ledger already",
            hint="register one of them on the ledger; older ones are then forgotten",
        )


def _unregistered(keeper: Keeper, checked: Sequence[Enrolment]) -> set[Address]:
    """Return the records whose shares would change under one version that the ledger does not have yet."""
    with reading(keeper.engine) as connection:
        changed = {
            enrolment.record: enrolment.version
            for enrolment in checked
            if (held := _held(connection, enrolment)) is not None
            and held.version == enrolment.version
            and _dealt(held) != _offered(enrolment)
        }
    if not changed:
        return set()
    slots = keeper.ledger.slots(list(changed), keeper.ledger.newest_block())
    return {record for record, version in changed.items() if slots[record].version < version}


def _held(connection: Connection, enrolment: Enrolment) -> Row[Any] | None:
    return connection.execute(select(enrolments).where(_same_manifest(enrolment))).one_or_none()


def _same_manifest(enrolment: Enrolment) -> ColumnElement[bool]:
    return (enrolments.c.record == enrolment.record) & (
        enrolments.c.manifest_commitment == enrolment.manifest_commitment
    )


def _dealt(held: Row[Any]) -> tuple[bytes, int, int]:
    return held.sealed_shares, held.keepers, held.threshold


def _offered(enrolment: Enrolment) -> tuple[bytes, int, int]:
    return enrolment.sealed_shares, enrolment.dealing.keepers, enrolment.dealing.threshold


def _keep(connection: Connection, enrolment: Enrolment, bundle: ShareBundle, *, may_replace: bool) -> None:
    held = _held(connection, enrolment)
    if held is not None and _dealt(held) != _offered(enrolment):
        # Two splits of one key do not fit together: an old message that is sent again must not replace a newer one.
        if held.version > enrolment.version or (held.version == enrolment.version and not may_replace):
            raise RejectedInputError(
                "enrol.conflict",
                f"other shares of this record are held already, of version {held.version}",
                hint="enrol under a higher version",
            )
        connection.execute(delete(enrolments).where(_same_manifest(enrolment)))
        held = None
    keep_policy(connection, enrolment.policy, enrolment.version, enrolment.manifest_commitment)
    if held is None:
        connection.execute(
            insert(enrolments).values(
                record=enrolment.record,
                manifest_commitment=enrolment.manifest_commitment,
                version=enrolment.version,
                manifest_location=enrolment.manifest_location,
                sealed_shares=enrolment.sealed_shares,
                keepers=enrolment.dealing.keepers,
                threshold=enrolment.dealing.threshold,
                parts=parts_column(bundle),
            )
        )
