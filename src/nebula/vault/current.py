"""What the ledger and the keepers say that a record is now, noted here where it changed elsewhere.

An owner may have two copies of a vault, or a vault that was set back to an older copy of itself. The ledger decides:
a record that is registered here, or on its way there, is what stands on the ledger if that is newer.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine

from nebula.database import reading, writing
from nebula.ledger.client.records import Slot
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.ids import Address
from nebula.protocol.keys import OwnerKeys
from nebula.transport.client import Carrier
from nebula.vault import state
from nebula.vault.enrol import Network, Told, commitment_of, control_key_of, enrol_all, keys_of
from nebula.vault.held import fetch_held
from nebula.vault.manifests import read_manifest
from nebula.vault.state import WAITING, Record, Stage

_PAGE = 500


def registered(engine: Engine, record: Address) -> Record:
    """Return a record that is registered.

    Raises:
        NotPermittedError: ``vault.stage``; it is not yet, or no more.
    """
    with reading(engine) as connection:
        found = state.get_record(connection, record)
    if found.stage is not Stage.REGISTERED:
        going_on = "the command that began its enrolment goes on with it when it is done again"
        raise NotPermittedError(
            "vault.stage",
            f"record {record} is {found.stage.value}, not registered",
            hint=going_on if found.stage in WAITING else None,
        )
    return found


def catch_up(engine: Engine, owner: OwnerKeys, network: Network, record: Address) -> Record:
    """Return a registered record as the ledger has it now, after noting here what changed elsewhere.

    Raises:
        NotPermittedError: the record is not registered, or withdrawn.
        UnavailableError: the ledger is away, or too few keepers tell the policy that it names.
    """
    current = registered(engine, record)
    slot = network.records.slot(record)
    if not _is_as_noted(current, slot):
        _adopt(engine, owner, network, current, slot)
    return registered(engine, record)


def catch_up_all(engine: Engine, owner: OwnerKeys, network: Network, stages: Sequence[Stage]) -> None:
    """Note of every record at some stages what changed elsewhere.

    What was prepared here of a record that the ledger has gone beyond is given up: under its version the ledger would
    never take it.

    Raises:
        UnavailableError: the ledger is away, or too few keepers tell what it names.
    """
    with reading(engine) as connection:
        found = [one for stage in stages for one in state.all_at_stage(connection, stage)]
    for start in range(0, len(found), _PAGE):
        page = found[start : start + _PAGE]
        for current, slot in zip(page, network.records.slots([one.record for one in page]), strict=True):
            is_over = current.stage is Stage.REGISTERED or slot.version >= current.version
            if is_over and not _is_as_noted(current, slot):
                _adopt(engine, owner, network, current, slot)


def enrol_waiting(
    engine: Engine, owner: OwnerKeys, network: Network, *, told: Told = lambda _step, _count: None
) -> None:
    """Take every record that is on its way to the ledger there, but for those that the ledger has gone beyond.

    Raises:
        UnavailableError, IntegrityError: as :func:`catch_up_all` and :func:`nebula.vault.enrol.enrol_all`.
    """
    catch_up_all(engine, owner, network, WAITING)
    enrol_all(engine, owner, network, told=told)


def _is_as_noted(current: Record, slot: Slot) -> bool:
    return (slot.commitment, slot.version) == (commitment_of(current), current.version)


def _adopt(engine: Engine, owner: OwnerKeys, network: Network, current: Record, slot: Slot) -> None:
    if not slot.is_live:
        with writing(engine) as connection:
            state.withdraw(connection, [current])
        return
    held = fetch_held(network.settings, control_key_of(owner, current), slot, Carrier())
    found = replace(
        current,
        stage=Stage.REGISTERED,
        version=held.version,
        policy=held.policy,
        manifest_location=held.manifest_location,
        manifest_commitment=held.manifest_commitment,
    )
    if held.manifest_commitment != current.manifest_commitment:
        identity = keys_of(owner, current).crypt4gh_identity()
        manifest = read_manifest(
            held.manifest_location, identity, record=held.record, commitment=held.manifest_commitment
        )
        found = replace(found, mailbox=manifest.mailbox)
    with writing(engine) as connection:
        state.replace_record(connection, current, found)


def not_withdrawn(engine: Engine, records: Sequence[Address]) -> list[Record]:
    """Return records whose consent has not ended, whatever stage they are at.

    Raises:
        NotPermittedError: ``vault.stage``; one was withdrawn.
    """
    with reading(engine) as connection:
        found = [state.get_record(connection, record) for record in records]
    if over := next((one for one in found if one.stage is Stage.WITHDRAWN), None):
        raise NotPermittedError("vault.stage", f"record {over.record} is {over.stage.value} already")
    return found
