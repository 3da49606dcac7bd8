"""Step 9, for one record: from released shares to what its owner offers, checked against its commitment.

In this order: (1) the manifest opens, and is the one that the ledger's commitment stands for; (2) payout address and
owner's key are usable, so that settling cannot fail later; (3) each part that the study needs opens under the key
with the manifest's digest, with exactly the manifest's length and digest; (4) its content parses strictly.
SECURITY: everything here was made by strangers: an owner, a storage provider, up to t - 1 keepers. Whatever they
did, only this record drops out. All parts are read whatever is in them: the host sees what is read.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from nebula.clinical.phenotypes import PhenotypeTable, parse_phenotypes
from nebula.crypt4gh.part import open_part
from nebula.crypt4gh.segments import sealed_length
from nebula.crypt4gh.whole import decrypt_with_data_key
from nebula.enclave.keys import LyingKeepers, RecordKeys
from nebula.enclave.release import ReleasedRecord
from nebula.enclave.session import Session
from nebula.genome.panel import Panel
from nebula.genome.private import only_private
from nebula.genome.record.vector import SCHEMA_VERSION as VECTOR_VERSION
from nebula.genome.record.vector import AnalysisVector, parse_vector
from nebula.protocol.errors import IntegrityError, NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, to_bytes
from nebula.protocol.record import Manifest, Part, manifest_commitment, parse_manifest
from nebula.protocol.sealing import require_strong_key
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.stealth import MetaAddress, parse_meta_address
from nebula.protocol.study import PartKind, StudyDocument
from nebula.protocol.wire import MAX_DOCUMENT_BYTES
from nebula.storage.reading import ReadableStorage, parse_location

OpenStorage = Callable[[str], ReadableStorage]

PHENOTYPES_VERSION = 1
MAX_PHENOTYPE_BYTES = 1 << 20
MAX_PRIVATE_VARIANTS = 5_000_000
_HEADER_BYTES = 64 * 1024  # a Crypt4GH header with hundreds of recipients


@dataclass(frozen=True, slots=True)
class Owner:
    """Where a record's payout and leaf go."""

    key: bytes
    payout: MetaAddress
    mailbox: bytes


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """What is kept of a record by itself.

    Attributes:
        private: variants off the panel that the analysis needs; None where it needs none.
    """

    record: Address
    owner: Owner
    private: AnalysisVector | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What of a record has its place in the cohort's matrix and columns; None where the study asks for no phenotypes.

    Attributes:
        codes: packed, on the study's panel.
    """

    codes: bytes | memoryview
    phenotypes: PhenotypeTable | None


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Reads the records of one run.

    Attributes:
        private_spans: ranges of VariantKeys off the panel that the analysis needs.
    """

    session: Session
    panel: Panel
    open_storage: OpenStorage
    liars: LyingKeepers
    private_spans: tuple[tuple[int, int], ...] = ()

    @property
    def _study(self) -> StudyDocument:
        return self.session.evidence.study

    def read(self, released: ReleasedRecord) -> tuple[ReadRecord, Content]:
        """Read one record.

        Raises:
            NebulaError: it cannot be used; UnavailableError where it may be readable later.
        """
        keys = RecordKeys(released, self.session, self.liars)
        manifest = self._read_manifest(released, keys)
        owner = Owner(
            require_strong_key(manifest.owner_key), parse_meta_address(manifest.payout_meta_address), manifest.mailbox
        )
        codes: bytes | memoryview = b""
        phenotypes = None
        private = None
        if PartKind.GENOTYPES in self._study.parts:
            raw = self._read_part(_genotypes(manifest, self._study), keys, self._most_vector_bytes())
            vector = parse_vector(raw, self.panel)
            codes = vector.codes
            private = only_private(vector, self.private_spans) if self.private_spans else None
        if PartKind.PHENOTYPES in self._study.parts:
            raw = self._read_part(_phenotypes(manifest), keys, MAX_PHENOTYPE_BYTES)
            phenotypes = parse_phenotypes(raw)
        return ReadRecord(released.record, owner, private), Content(codes, phenotypes)

    def _most_vector_bytes(self) -> int:
        return self.panel.vector_bytes + 9 * MAX_PRIVATE_VARIANTS

    def _read_manifest(self, released: ReleasedRecord, keys: RecordKeys) -> Manifest:
        """Try each place that a keeper named; at most t - 1 of them are lies."""
        problem: NebulaError = UnavailableError("enclave.manifest", "no keeper says where the manifest lies")
        for location in released.locations:
            try:
                raw = self._fetch(location, _HEADER_BYTES + sealed_length(MAX_DOCUMENT_BYTES))
                return _open_manifest(raw, released, keys)
            except NebulaError as error:
                problem = error
        raise problem

    def _read_part(self, part: Part, keys: RecordKeys, most_bytes: int) -> bytes:
        if part.plaintext_bytes > most_bytes:
            raise RejectedInputError("enclave.part-size", "a part is larger than any that is well formed")
        key = keys.part_key(part.part_id, part.key_digest)
        raw = self._fetch(part.location, _HEADER_BYTES + sealed_length(part.plaintext_bytes))
        return open_part(raw, key, to_bytes(part.plaintext_digest), part.plaintext_bytes)

    def _fetch(self, location: str, most_bytes: int) -> bytes:
        url, name = parse_location(location)
        return self.open_storage(url).get(name, max_bytes=most_bytes)


def _open_manifest(raw: bytes, released: ReleasedRecord, keys: RecordKeys) -> Manifest:
    """Open a manifest with the key whose plaintext has the right commitment: keys have no other test."""
    found: list[Manifest] = []

    def accepts(key: SecretBytes) -> bool:
        try:
            manifest = parse_manifest(decrypt_with_data_key(raw, key))
        except NebulaError:
            return False
        found.append(manifest)
        return hmac.compare_digest(manifest_commitment(manifest), to_bytes(released.commitment))

    keys.manifest_key(accepts)
    if found[-1].record != released.record:
        raise IntegrityError("enclave.manifest", "a manifest is about another record")
    return found[-1]


def _genotypes(manifest: Manifest, study: StudyDocument) -> Part:
    for part in manifest.parts:
        if (part.kind, part.panel, part.schema_version) == (PartKind.GENOTYPES, study.panel, VECTOR_VERSION):
            return part
    raise RejectedInputError("enclave.no-part", "the record has no genotypes on the study's panel")


def _phenotypes(manifest: Manifest) -> Part:
    for part in manifest.parts:
        if (part.kind, part.schema_version) == (PartKind.PHENOTYPES, PHENOTYPES_VERSION):
            return part
    raise RejectedInputError("enclave.no-part", "the record has no phenotypes")
