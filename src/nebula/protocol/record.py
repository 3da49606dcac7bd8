"""A record: its manifest, its parts, and the shares of their data keys.

The manifest is itself a part, encrypted like the others; the ledger holds only a salted commitment.
"""

from typing import Annotated, Literal

import msgspec

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32, Nonce, PublicKey, Signature
from nebula.protocol.signing import keccak256
from nebula.protocol.study import PartKind, StudyDocument
from nebula.protocol.wire import Document, parser, to_canonical

Location = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
"""Where ciphertext lies: a storage address and an object's random name, ``file:///folder#name``."""

MANIFEST = "manifest"
MAX_PARTS = 16


class Part(Document, frozen=True, kw_only=True):
    """One encrypted object of a record, and what its plaintext must be."""

    part_id: Hash32
    kind: PartKind
    schema_version: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    assembly: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    panel: Hash32 | None = None
    location: Location
    plaintext_bytes: Annotated[int, msgspec.Meta(ge=0, lt=2**40)]
    plaintext_digest: Hash32
    key_digest: Hash32


class Original(Document, frozen=True, kw_only=True):
    """The file that a record was made of, as it came: one Crypt4GH file whose only reader is the owner.

    It is none of the record's parts: keepers hold no share of its key, and no consent or study can name it.
    """

    location: Location
    plaintext_bytes: Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
    plaintext_digest: Hash32


class Provenance(Document, frozen=True, kw_only=True):
    """A signed statement on where a record's data come from, by a lab or a custodian."""

    signer: Address
    statement: Annotated[str, msgspec.Meta(max_length=500)]
    signature: Signature


class Manifest(Document, frozen=True, kw_only=True):
    """All that an owner's record consists of.

    ``mailbox`` is a secret known to the owner and, during a run, to the enclave: it makes the name under
    which an owner finds their sealed leaf, so that nobody else can tell whose leaf it is.

    ``sealed_label``: what the owner calls the record, sealed to the owner; not even an enclave reads it.

    ``original`` is left out, not null, where the file was not kept, so that earlier manifests keep their commitments.
    """

    schema: Literal[1] = 1
    record: Address
    owner_key: PublicKey
    parts: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1, max_length=MAX_PARTS)]
    provenance: Annotated[tuple[Provenance, ...], msgspec.Meta(max_length=8)] = ()
    payout_meta_address: Annotated[str, msgspec.Meta(max_length=200)]
    mailbox: Nonce
    salt: Nonce
    sealed_label: Annotated[bytes, msgspec.Meta(max_length=1000)] | None = None
    original: Original | msgspec.UnsetType = msgspec.UNSET


parse_manifest = parser(Manifest)


def manifest_commitment(manifest: Manifest) -> bytes:
    """Return the 32-byte commitment to a manifest, salted by the manifest's own salt."""
    return keccak256(b"nebula/manifest/1\x00" + manifest.salt + keccak256(to_canonical(manifest)))


class Dealing(Document, frozen=True, kw_only=True):
    """Among how many keepers a record's keys were split, and how many of them give a key back.

    ``share.threshold``: not 2 <= threshold <= keepers <= 32.
    """

    keepers: Annotated[int, msgspec.Meta(ge=2, le=32)]
    threshold: Annotated[int, msgspec.Meta(ge=2, le=32)]

    def __post_init__(self) -> None:
        if self.threshold > self.keepers:
            raise RejectedInputError(
                "share.threshold", f"{self.threshold} of {self.keepers} keepers cannot be needed: there are not as many"
            )

    def charge(self, micro_rho: int) -> int:
        """Return what one keeper takes off a record's privacy budget when the record gives ``micro_rho``.

        n/t times as much, rounded up: t of the n keepers pay for whatever leaves, and each lets the whole budget be
        spent, so that all of them together, whichever pay for what, never let out more than the whole budget.
        """
        return -(-micro_rho * self.keepers // self.threshold)


class KeyShare(Document, frozen=True, kw_only=True):
    """One keeper's share of one part's data key. ``part_id`` and ``kind`` are ``manifest`` for the manifest's own key.

    ``panel``: which the part's genotypes are on. The owner's word, like ``kind``: the manifest has the truth.
    """

    part_id: str
    kind: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{1,20}\Z")]
    panel: Hash32 | None = None
    index: Annotated[int, msgspec.Meta(ge=1, le=255)]
    value: PublicKey  # 32 bytes

    def __post_init__(self) -> None:
        if (self.kind == PartKind.GENOTYPES) != (self.panel is not None):
            raise ValueError("a share of genotypes names their panel, and no other does")


class ShareBundle(Document, frozen=True, kw_only=True):
    """All of one keeper's shares of one record, sealed to the keeper, or by the keeper to a session."""

    record: Address
    manifest_commitment: Hash32
    shares: Annotated[tuple[KeyShare, ...], msgspec.Meta(min_length=1, max_length=MAX_PARTS + 1)]


parse_bundle = parser(ShareBundle)


def part_name(kind: str, panel: Hash32 | None) -> str:
    """Return what keepers tell a record's parts apart by: ``phenotypes``, or ``genotypes@`` and their panel's id."""
    return kind if panel is None else f"{kind}@{panel}"


def needed_parts(study: StudyDocument) -> frozenset[str]:
    """Return the names of the parts that a record must have for a study: of each kind one, genotypes on its panel."""
    return frozenset(part_name(kind.value, study.panel if kind is PartKind.GENOTYPES else None) for kind in study.parts)


def enrolment_context(record: Address, commitment: Hash32, keeper: Address) -> bytes:
    """Return the associated data of a bundle sealed to a keeper: it opens nowhere else."""
    return f"nebula/enrol/1|{record}|{commitment}|{keeper}".encode()


def release_context(record: Address, commitment: Hash32, *, keeper: Address, session: Address, run: Hash32) -> bytes:
    """Return the associated data of a bundle sealed to a session: it opens in that run alone."""
    return f"nebula/release/1|{record}|{commitment}|{keeper}|{session}|{run}".encode()


def cohort_context(session: Address, *, keeper: Address, reader: Address) -> bytes:
    """Return the associated data of a share of a cohort's key: left by one session, with one keeper, for one reader.

    On its way to the keeper, the keeper itself is the reader.
    """
    return f"nebula/cohort/1|{session}|{keeper}|{reader}".encode()


def mailbox_locator(mailbox: bytes, run: Hash32) -> bytes:
    """Return the 16-byte name of an owner's sealed leaf in one run; unlinkable without the mailbox secret."""
    return keccak256(b"nebula/mailbox/1\x00" + mailbox + run.encode())[:16]


SHARES_INFO = b"nebula/shares/1"
"""HPKE's ``info`` of every sealed :class:`ShareBundle`, to a keeper or to a session."""

LABEL_INFO = b"nebula/label/1"
"""HPKE's ``info`` of a record's label, sealed to its owner; its associated data is the record's id in ASCII."""

COHORT_INFO = b"nebula/cohort/1"
"""HPKE's ``info`` of a share of a cohort's key, to a keeper or to a later session."""

LEAF_INFO = b"nebula/leaf/1"
"""HPKE's ``info`` of an owner's sealed leaf; its associated data is the run's id in ASCII."""

RESULT_INFO = b"nebula/result/1"
"""HPKE's ``info`` of a buyer's sealed result; its associated data is the run's id in ASCII."""
