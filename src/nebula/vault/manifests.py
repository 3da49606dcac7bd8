"""What a record consists of, read back from storage with its owner's own key."""

from msgspec import UNSET

from nebula.crypt4gh import data_key_of, decrypt, open_part
from nebula.protocol.errors import IntegrityError, NebulaError, UnavailableError
from nebula.protocol.ids import Address, to_bytes, to_hex
from nebula.protocol.keys import OwnerKeys
from nebula.protocol.record import Manifest, Original, Part, manifest_commitment, parse_manifest
from nebula.protocol.sealing import SealingKey
from nebula.protocol.wire import Document
from nebula.storage import open_for_reading, parse_location
from nebula.vault.enrol import keys_of
from nebula.vault.state import Record


class StoredPart(Document, frozen=True, kw_only=True):
    """One part: what it is, how large, and where. ``stored_bytes``: None while its storage is away."""

    kind: str
    assembly: str | None
    panel: str | None
    plaintext_bytes: int
    stored_bytes: int | None
    storage: str
    location: str


def read_manifest(location: str, identity: SealingKey, *, record: Address, commitment: str) -> Manifest:
    """Read and open a record's manifest.

    Raises:
        UnavailableError: the storage is away, or has lost it.
        IntegrityError: it is not the manifest that the record's commitment is of.
    """
    url, name = parse_location(location)
    raw = open_for_reading(url).get(name)
    # SECURITY: storage may have swapped or rolled back the object; the commitment stands on the ledger.
    try:
        manifest = parse_manifest(decrypt(raw, identity))
    except NebulaError as error:
        raise _altered(record) from error
    if to_hex(manifest_commitment(manifest)) != commitment or manifest.record != record:
        raise _altered(record)
    return manifest


def _altered(record: Address) -> IntegrityError:
    return IntegrityError(
        "vault.manifest",
        f"the manifest of {record} on storage is not the one that the ledger commits to",
        hint="the storage altered it, or brought an older one back: ask its provider",
    )


def manifest_of(owner: OwnerKeys, record: Record) -> Manifest:
    """Read and open the manifest of one of the vault's records; see :func:`read_manifest`."""
    identity = keys_of(owner, record).crypt4gh_identity()
    return read_manifest(
        record.manifest_location, identity, record=record.record, commitment=record.manifest_commitment
    )


def read_part(owner: OwnerKeys, record: Record, part: Part) -> bytes:
    """Read and decrypt a part of a record with its owner's key.

    Raises:
        UnavailableError: the storage is away, or has lost it.
        IntegrityError: it is not what the manifest says.
    """
    url, name = parse_location(part.location)
    raw = open_for_reading(url).get(name)
    data_key = data_key_of(raw, keys_of(owner, record).crypt4gh_identity())
    return open_part(raw, data_key, to_bytes(part.plaintext_digest), part.plaintext_bytes)


def read_parts(owner: OwnerKeys, record: Record) -> list[StoredPart]:
    """Return what a record consists of."""
    found, manifest = [], manifest_of(owner, record)
    for part in manifest.parts:
        url, name = parse_location(part.location)
        found.append(
            StoredPart(
                kind=part.kind.value,
                assembly=part.assembly,
                panel=part.panel,
                plaintext_bytes=part.plaintext_bytes,
                stored_bytes=_size(url, name),
                storage=url,
                location=part.location,
            )
        )
    if manifest.original is not UNSET:
        found.append(_stored_original(manifest.original))
    return found


def _stored_original(original: Original) -> StoredPart:
    url, name = parse_location(original.location)
    return StoredPart(
        kind="original",
        assembly=None,
        panel=None,
        plaintext_bytes=original.plaintext_bytes,
        stored_bytes=_size(url, name),
        storage=url,
        location=original.location,
    )


def _size(url: str, name: str) -> int | None:
    try:
        return open_for_reading(url).size_bytes(name)
    except UnavailableError:
        return None
