"""From records on storage to records on the ledger, in resumable stages.

stored → split → accepted → registered. Shares are sealed and kept before any is sent, because two splits of
one key do not fit together; so after a crash exactly the same messages go out again. Only when every keeper
has signed its acceptance is the registration signed and relayed, and only the ledger itself, not the hub's
word, makes a record *registered*.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine

from nebula.crypt4gh import data_key_of, decrypt
from nebula.database import reading, writing
from nebula.ledger.client import LedgerClient, Records
from nebula.protocol.consent import policy_commitment, record_commitment
from nebula.protocol.errors import IntegrityError, UnavailableError
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.keys import OwnerKeys, SigningKey
from nebula.protocol.messages import (
    ENROL,
    ENROL_PAGE,
    RELAY,
    Acceptance,
    EnrolAnswer,
    Enrolment,
    EnrolRequest,
    RecordPut,
    RelayAnswer,
    RelayRequest,
)
from nebula.protocol.record import (
    MANIFEST,
    SHARES_INFO,
    Dealing,
    KeyShare,
    Manifest,
    ShareBundle,
    enrolment_context,
    parse_manifest,
)
from nebula.protocol.sealing import seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.sharing import split
from nebula.protocol.signed_by_control_key import UNSIGNED, check_document, sign_document
from nebula.protocol.typed_data import Domain, record_put_digest
from nebula.protocol.wire import to_canonical
from nebula.storage import open_for_reading, parse_location
from nebula.transport.client import Peer
from nebula.vault import state
from nebula.vault.settings import KeeperEntry, VaultSettings
from nebula.vault.state import Record, Stage

Slots = Callable[[Sequence[Address]], Mapping[Address, tuple[bytes, int]]]
"""Reads records' slots from the ledger: 26-byte commitment and version; absent ones are left out."""

Progress = Callable[[int], None]

SPLITTING = "splitting keys"
SENDING = "shares to keeper {}"
REGISTERING = "entering the ledger"

Told = Callable[[str, int], None]
"""Hears which step took how many more records on."""


@dataclass(frozen=True, slots=True)
class Network:
    """The others, as this vault reaches them."""

    settings: VaultSettings
    keepers: Mapping[Address, Peer]
    hub: Peer
    slots: Slots
    ledger: LedgerClient

    @property
    def records(self) -> Records:
        """The ledger's records, as this vault reads them."""
        return Records(self.ledger, self.settings.records_contract)

    @property
    def records_domain(self) -> Domain:
        """What owners' registrations are signed for."""
        return Domain(self.settings.chain_id, self.settings.records_contract)


def keys_of(owner: OwnerKeys, record: Record) -> OwnerKeys:
    """Return the keys of a record's owner: the donor's, in a custodian's vault."""
    return owner if record.donor is None else owner.donor(record.donor)


def control_key_of(owner: OwnerKeys, record: Record) -> SigningKey:
    """Return a record's control key."""
    return keys_of(owner, record).control_key(record.key_index)


def commitment_of(record: Record) -> bytes:
    """Return the 26 bytes that stand on the ledger for a record under its current policy."""
    return record_commitment(to_bytes(record.manifest_commitment), policy_commitment(record.policy))


def signed_put(record: Record, owner: OwnerKeys, domain: Domain) -> RecordPut:
    """Return what puts a record on the ledger under its current policy, signed by its control key."""
    commitment = commitment_of(record)
    digest = record_put_digest(domain, record.record, commitment, version=record.version)
    return RecordPut(
        record=record.record,
        commitment=to_hex(commitment),
        version=record.version,
        signature=control_key_of(owner, record).sign_digest(digest),
    )


def enrol_all(
    engine: Engine,
    owner: OwnerKeys,
    network: Network,
    *,
    done: Progress = lambda _count: None,
    told: Told = lambda _step, _count: None,
) -> None:
    """Take every record that waits at any stage to the ledger; done again, it goes on.

    Raises:
        UnavailableError: a keeper, the hub or the ledger is away; call again later to go on.
        IntegrityError: a keeper or the hub lied.
    """

    def registered(count: int) -> None:
        told(REGISTERING, count)
        done(count)

    _until_empty(engine, Stage.STORED, lambda page: _split_page(engine, owner, network, page, told))
    for number, keeper in enumerate(network.settings.keepers, start=1):
        _send_all(engine, network, keeper, partial(told, SENDING.format(number)))
    _until_empty(engine, Stage.ACCEPTED, lambda page: _register_page(engine, owner, network, page, registered))


def _until_empty(engine: Engine, stage: Stage, work: Callable[[list[Record]], None]) -> None:
    while True:
        with reading(engine) as connection:
            page = state.at_stage(connection, stage, limit=ENROL_PAGE)
        if not page:
            return
        work(page)


def _split_page(engine: Engine, owner: OwnerKeys, network: Network, page: list[Record], told: Told) -> None:
    messages = []
    for record in page:
        messages += _split_record(record, owner, network.settings)
        told(SPLITTING, 1)
    with writing(engine) as connection:
        kept = state.add_enrolments(connection, messages)
        state.move(connection, kept, Stage.SPLIT, after=Stage.STORED)


def _split_record(record: Record, owner: OwnerKeys, settings: VaultSettings) -> list[tuple[Address, Enrolment]]:
    keys = keys_of(owner, record)
    bundles = _share_bundles(record, keys, settings)
    control_key = keys.control_key(record.key_index)
    dealing = Dealing(keepers=len(settings.keepers), threshold=settings.threshold)
    return [
        (keeper.address, _enrolment(record, bundle, dealing, keeper, control_key))
        for keeper, bundle in zip(settings.keepers, bundles, strict=True)
    ]


def _share_bundles(record: Record, keys: OwnerKeys, settings: VaultSettings) -> list[ShareBundle]:
    """One bundle per keeper, with its share of the manifest's key and of every part's."""
    identity = keys.crypt4gh_identity()
    raw_manifest = _fetch(record.manifest_location)
    manifest: Manifest = parse_manifest(decrypt(raw_manifest, identity))
    data_keys: list[tuple[str, str, Hash32 | None, SecretBytes]] = [
        (MANIFEST, MANIFEST, None, data_key_of(raw_manifest, identity))
    ]
    data_keys += [
        (part.part_id, part.kind.value, part.panel, data_key_of(_fetch(part.location), identity))
        for part in manifest.parts
    ]
    splits = [
        (part_id, kind, panel, split(data_key, settings.threshold, len(settings.keepers)))
        for part_id, kind, panel, data_key in data_keys
    ]
    return [
        ShareBundle(
            record=record.record,
            manifest_commitment=record.manifest_commitment,
            shares=tuple(
                KeyShare(
                    part_id=part_id,
                    kind=kind,
                    panel=panel,
                    index=shares[place].index,
                    value=shares[place].value.reveal(),
                )
                for part_id, kind, panel, shares in splits
            ),
        )
        for place in range(len(settings.keepers))
    ]


def _enrolment(
    record: Record, bundle: ShareBundle, dealing: Dealing, keeper: KeeperEntry, control_key: SigningKey
) -> Enrolment:
    context = enrolment_context(record.record, record.manifest_commitment, keeper.address)
    unsigned = Enrolment(
        record=record.record,
        version=record.version,
        manifest_commitment=record.manifest_commitment,
        manifest_location=record.manifest_location,
        policy=record.policy,
        dealing=dealing,
        sealed_shares=seal(keeper.key, SecretBytes(to_canonical(bundle)), info=SHARES_INFO, aad=context),
        signature=UNSIGNED,
    )
    return sign_document(unsigned, control_key.secret)


def _send_all(engine: Engine, network: Network, keeper: KeeperEntry, done: Progress) -> None:
    while True:
        with reading(engine) as connection:
            page = state.unaccepted(connection, keeper.address, limit=ENROL_PAGE)
        if not page:
            return
        answer = network.keepers[keeper.address].ask(ENROL, EnrolRequest(enrolments=tuple(page)), EnrolAnswer)
        if answer.refused:
            first = answer.refused[0]
            raise IntegrityError(
                first.error.code, f"keeper {keeper.url} refuses record {first.record}: {first.error.message}"
            )
        accepted = _checked(answer.accepted, page, keeper)
        with writing(engine) as connection:
            state.accept(connection, keeper.address, accepted)
        done(len(accepted))


def _checked(acceptances: Sequence[Acceptance], page: Sequence[Enrolment], keeper: KeeperEntry) -> list[Address]:
    """Return the records of a page that a keeper accepted, under its signature and as they were sent."""
    expected = {
        sent.record: to_hex(record_commitment(to_bytes(sent.manifest_commitment), policy_commitment(sent.policy)))
        for sent in page
    }
    for acceptance in acceptances:
        if expected.get(acceptance.record) != acceptance.record_commitment:
            raise IntegrityError("vault.acceptance", f"keeper {keeper.url} accepted something that was not sent")
        check_document(acceptance, keeper.address)
    if len({acceptance.record for acceptance in acceptances}) != len(expected):
        raise UnavailableError("vault.acceptance", f"keeper {keeper.url} left records out", hint="try again later")
    return list(expected)


def _register_page(engine: Engine, owner: OwnerKeys, network: Network, page: list[Record], done: Progress) -> None:
    puts = tuple(signed_put(record, owner, network.records_domain) for record in page)
    network.hub.ask(RELAY, RelayRequest(puts=puts), RelayAnswer)
    slots = network.slots([record.record for record in page])
    registered = [
        record.record for record in page if slots.get(record.record) == (commitment_of(record), record.version)
    ]
    with writing(engine) as connection:
        state.move(connection, registered, Stage.REGISTERED, after=Stage.ACCEPTED)
    done(len(registered))
    if len(registered) < len(page):
        raise UnavailableError(
            "vault.not-registered",
            f"the ledger does not have {len(page) - len(registered)} of {len(page)} records yet",
            hint="the hub may be slow or dishonest; enrol again, or register them yourself",
        )


def _fetch(location: str) -> bytes:
    url, name = parse_location(location)
    return open_for_reading(url).get(name)
