"""Everything comes back from the 24 words and the network.

(1) Record ids follow from the words, one index after another, until a gap of indices that the ledger has never seen.
(2) The keepers say where each live record's manifest lies and under which policy, see :mod:`nebula.vault.held`.
(3) The manifest opens with the owner's own key, hashes to what the ledger commits to, and brings the rest back: the
mailbox that finds payouts, and what the owner called the record. A custodian's donors come back in the same way.

Records that were withdrawn are counted, not brought back: keepers forget them, as they should.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nebula.database import reading, writing
from nebula.ledger.client.records import Slot
from nebula.protocol.keys import OwnerKeys, SigningKey
from nebula.protocol.messages import HeldAnswer
from nebula.transport.client import Carrier
from nebula.vault import state
from nebula.vault.enrol import Network
from nebula.vault.held import fetch_held
from nebula.vault.import_ import Vault
from nebula.vault.manifests import read_manifest
from nebula.vault.parts import open_label
from nebula.vault.state import Record, Stage

OWN_GAP = 50
DONOR_GAP = 2000
"""Donors are registered in the order of their random ids, so an import that stopped half-way leaves wide gaps."""

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: ``found`` records are in the vault now, ``withdrawn`` ones stay away."""

    found: int
    known: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class _Place:
    """One index of the words: whose keys, which control key, what the ledger has there."""

    donor: int | None
    index: int
    keys: OwnerKeys
    control_key: SigningKey
    slot: Slot


def restore(vault: Vault, network: Network, *, progress: Callable[[int], None] = lambda _done: None) -> Restored:
    """Bring back every live record of these words; done again, it goes on.

    Args:
        vault: opened with the words, its tables perhaps empty.
        network: that it has joined.
        progress: called with how many records have come back.

    Raises:
        UnavailableError: the ledger, too many keepers or the storage are away; what came back so far is kept.
        IntegrityError: the storage has another manifest than the ledger commits to.
    """
    carrier = Carrier()
    with reading(vault.engine) as connection:
        have = {record.record for record in state.every_record(connection)}
    found = known = withdrawn = 0
    for place in _used_places(vault.owner, network):
        if place.control_key.address in have:
            known += 1
        elif not place.slot.is_live:
            withdrawn += 1
        else:
            held = fetch_held(network.settings, place.control_key, place.slot, carrier)
            with writing(vault.engine) as connection:
                state.add_records(connection, [_rebuild(place, held)])
            found += 1
            progress(found)
    return Restored(found, known, withdrawn)


def _used_places(owner: OwnerKeys, network: Network) -> Iterator[_Place]:
    yield from _walk(network, lambda index: (None, index, owner), gap=OWN_GAP)
    yield from _walk(network, lambda donor: (donor, 0, owner.donor(donor)), gap=DONOR_GAP)


def _walk(network: Network, at: Callable[[int], tuple[int | None, int, OwnerKeys]], *, gap: int) -> Iterator[_Place]:
    start = unused = 0
    while unused < gap:
        places = [at(number) for number in range(start, start + _PAGE)]
        control_keys = [keys.control_key(index) for _, index, keys in places]
        slots = network.records.slots([key.address for key in control_keys])
        for (donor, index, keys), control_key, slot in zip(places, control_keys, slots, strict=True):
            unused = 0 if slot.version else unused + 1
            if slot.version:
                yield _Place(donor, index, keys, control_key, slot)
        start += _PAGE


def _rebuild(place: _Place, held: HeldAnswer) -> Record:
    identity = place.keys.crypt4gh_identity()
    manifest = read_manifest(held.manifest_location, identity, record=held.record, commitment=held.manifest_commitment)
    return Record(
        record=held.record,
        donor=place.donor,
        key_index=place.index,
        label=open_label(manifest, identity) or held.record[:10],
        stage=Stage.REGISTERED,
        version=held.version,
        manifest_location=held.manifest_location,
        manifest_commitment=held.manifest_commitment,
        mailbox=manifest.mailbox,
        policy=held.policy,
    )
