"""Make a record of plaintext parts: encrypt each, put it on the owner's storage, describe it in a manifest.

Names on storage are random, so that they say nothing; whatever was put before a failure is taken away again.
"""

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import msgspec
from msgspec import UNSET

from nebula.crypt4gh import seal_part
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.keys import OwnerKeys, SigningKey
from nebula.protocol.record import LABEL_INFO, MAX_PARTS, Manifest, Part, Provenance, manifest_commitment
from nebula.protocol.sealing import SealingKey, open_sealed, seal
from nebula.protocol.sharing import key_digest
from nebula.protocol.study import PartKind
from nebula.protocol.wire import to_canonical
from nebula.storage import Storage
from nebula.vault.original import store_original

LABEL_BYTES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainPart:
    """A part before encryption."""

    kind: PartKind
    plaintext: bytes
    schema_version: int = 1
    assembly: str | None = None
    panel: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record whose parts and manifest are on storage."""

    manifest: Manifest
    manifest_location: str

    @property
    def commitment(self) -> Hash32:
        """The salted commitment to the manifest."""
        return to_hex(manifest_commitment(self.manifest))


def store_record(
    parts: Sequence[PlainPart],
    *,
    keys: OwnerKeys,
    control_key: SigningKey,
    storage: Storage,
    label: str = "",
    original: BinaryIO | None = None,
    provenance: tuple[Provenance, ...] = (),
) -> StoredRecord:
    """Encrypt parts to their owner and put them, and the manifest over them, on storage; the original file, too.

    Raises:
        UnavailableError: the storage is full or away; nothing is left behind.
    """
    owner_key = keys.crypt4gh_identity().public_key
    with ExitStack() as undo:
        manifest = Manifest(
            record=control_key.address,
            owner_key=owner_key,
            parts=tuple(_store_part(part, owner_key, storage, undo) for part in parts),
            provenance=provenance,
            payout_meta_address=keys.stealth_keys().meta_address,
            mailbox=secrets.token_bytes(32),
            salt=secrets.token_bytes(32),
            sealed_label=seal_label(label, control_key.address, owner_key),
            original=UNSET
            if original is None
            else store_original(original, owner_key, lambda sealed: _put(sealed, storage, undo)),
        )
        location = _put(seal_part(to_canonical(manifest), owner_key).raw, storage, undo)
        undo.pop_all()
    return StoredRecord(manifest, location)


def store_with_part(manifest: Manifest, part: PlainPart, *, storage: Storage) -> StoredRecord:
    """Put one more part of a record, and a manifest over it and those there were, on storage; nothing is put twice.

    The new manifest has a salt of its own, and the same mailbox: what earlier studies paid is still found.

    Raises:
        RejectedInputError: ``vault.parts``; the record has as many parts as one can have.
        UnavailableError: the storage is full or away; nothing is left behind.
    """
    if len(manifest.parts) >= MAX_PARTS:
        raise RejectedInputError(
            "vault.parts",
            f"record {manifest.record} has {len(manifest.parts)} parts, and no record can have more",
            hint="withdraw it and import the file again under another label, on the newest panel",
        )
    with ExitStack() as undo:
        added = _store_part(part, manifest.owner_key, storage, undo)
        new = msgspec.structs.replace(manifest, parts=(*manifest.parts, added), salt=secrets.token_bytes(32))
        location = _put(seal_part(to_canonical(new), manifest.owner_key).raw, storage, undo)
        undo.pop_all()
    return StoredRecord(new, location)


def seal_label(label: str, record: Address, owner_key: bytes) -> bytes | None:
    """Seal what the owner calls a record to the owner, padded so that its length tells nothing."""
    if not label:
        return None
    padded = label.encode().ljust(LABEL_BYTES, b"\x00")
    return seal(owner_key, padded, info=LABEL_INFO, aad=record.encode())


def open_label(manifest: Manifest, identity: SealingKey) -> str | None:
    """Open a record's label with its owner's key; None where it has none."""
    if manifest.sealed_label is None:
        return None
    opened = open_sealed(identity, manifest.sealed_label, info=LABEL_INFO, aad=manifest.record.encode())
    return opened.reveal().rstrip(b"\x00").decode()


def _store_part(part: PlainPart, owner_key: bytes, storage: Storage, undo: ExitStack) -> Part:
    sealed = seal_part(part.plaintext, owner_key)
    return Part(
        part_id=to_hex(secrets.token_bytes(32)),
        kind=part.kind,
        schema_version=part.schema_version,
        assembly=part.assembly,
        panel=part.panel,
        location=_put(sealed.raw, storage, undo),
        plaintext_bytes=sealed.length_bytes,
        plaintext_digest=to_hex(sealed.digest),
        key_digest=to_hex(key_digest(sealed.data_key)),
    )


def _put(raw: bytes | BinaryIO, storage: Storage, undo: ExitStack) -> str:
    name = secrets.token_hex(20)
    undo.callback(storage.delete, name)
    return storage.put(name, raw)
