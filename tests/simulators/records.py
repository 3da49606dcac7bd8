"""Owners with real records: real keys, real ciphertext on a storage, real shares for keepers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nebula.clinical.phenotypes import Phenotype, PhenotypeTable
from nebula.crypt4gh import data_key_of
from nebula.genome.keys import variant_key
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel
from nebula.genome.record.vector import AnalysisVector
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import OwnerKeys
from nebula.protocol.record import MANIFEST, KeyShare, Manifest, ShareBundle
from nebula.protocol.sharing import split
from nebula.protocol.study import PartKind
from nebula.storage import Storage
from nebula.storage.reading import parse_location
from nebula.vault.parts import PlainPart, StoredRecord, store_record

WORDS = " ".join(["abandon"] * 23 + ["art"])
_custodian = OwnerKeys.from_mnemonic(WORDS)


def make_panel(sites: int) -> Panel:
    """A panel of single-nucleotide sites, 10 kb apart, over the autosomes."""
    keys = [variant_key(str(1 + i % 22), 10_000 * (1 + i // 22), "A", "G") for i in range(sites)]
    return Panel("simulated", "1", "GRCh38", np.array(sorted(keys), dtype=np.uint64))


def make_vector(panel: Panel, codes: NDArray[np.integer], private: Sequence[int] = ()) -> AnalysisVector:
    """One person's vector: codes 0 to 3, one per site, and one copy of each variant off the panel, keys ascending."""
    padded = np.zeros(4 * panel.vector_bytes, dtype=np.uint8)
    padded[: panel.sites] = codes
    quads = padded.reshape(-1, 4)
    packed = (quads << np.array([0, 2, 4, 6], dtype=np.uint8)).sum(axis=1).astype(np.uint8)
    ones = PackedMatrix.from_dosage(np.ones((1, len(private)), np.int8)).packed.tobytes()
    return AnalysisVector(panel.panel_id, panel.sites, packed.tobytes(), np.array(private, np.uint64), ones)


def make_table(columns: dict[str, float | str | None]) -> PhenotypeTable:
    """One person's phenotypes: numbers, categories by their type, None is a missing number."""
    return PhenotypeTable(
        phenotypes=tuple(
            Phenotype(name=name, kind="category", category=value)
            if isinstance(value, str)
            else Phenotype(name=name, kind="number", number=value)
            for name, value in sorted(columns.items())
        )
    )


@dataclass(frozen=True)
class SimulatedOwner:
    """An owner, their record on a storage, and each keeper's shares."""

    keys: OwnerKeys
    record: str
    stored: StoredRecord
    bundles: tuple[ShareBundle, ...]

    @property
    def manifest(self) -> Manifest:
        return self.stored.manifest

    def object_name(self, kind: PartKind | None = None) -> str:
        """The name of a part's object, or of the manifest's."""
        if kind is None:
            return parse_location(self.stored.manifest_location)[1]
        return parse_location(next(part.location for part in self.manifest.parts if part.kind is kind))[1]


def enrol_owner(
    number: int, parts: Sequence[PlainPart], storage: Storage, *, threshold: int = 2, keepers: int = 3
) -> SimulatedOwner:
    """Store a record and split its keys."""
    keys = _custodian.donor(number)
    control_key = keys.control_key(0)
    stored = store_record(parts, keys=keys, control_key=control_key, storage=storage)
    return SimulatedOwner(keys, control_key.address, stored, split_record(stored, keys, storage, threshold, keepers))


def split_record(
    stored: StoredRecord, keys: OwnerKeys, storage: Storage, threshold: int, keepers: int
) -> tuple[ShareBundle, ...]:
    """One bundle per keeper, over the manifest's key and every part's."""
    identity = keys.crypt4gh_identity()
    places = [(MANIFEST, MANIFEST, None, stored.manifest_location)]
    places += [(part.part_id, part.kind.value, part.panel, part.location) for part in stored.manifest.parts]
    splits = []
    for part_id, kind, panel, location in places:
        data_key = data_key_of(storage.get(parse_location(location)[1]), identity)
        splits.append((part_id, kind, panel, split(data_key, threshold, keepers)))
    return tuple(
        ShareBundle(
            record=stored.manifest.record,
            manifest_commitment=stored.commitment,
            shares=tuple(
                KeyShare(part_id=part_id, kind=kind, panel=panel, index=shares[i].index, value=shares[i].value.reveal())
                for part_id, kind, panel, shares in splits
            ),
        )
        for i in range(keepers)
    )


def plain_parts(
    panel: Panel,
    codes: NDArray[np.integer],
    columns: dict[str, float | str | None],
    *,
    private: Sequence[int] = (),
) -> list[PlainPart]:
    """Genotypes and phenotypes of one person."""
    return [
        PlainPart(
            kind=PartKind.GENOTYPES,
            plaintext=make_vector(panel, codes, private).to_bytes(),
            assembly=panel.assembly,
            panel=panel.panel_id,
        ),
        PlainPart(kind=PartKind.PHENOTYPES, plaintext=make_table(columns).to_bytes()),
    ]


def panel_object(panel: Panel, storage: Storage) -> str:
    """Put a panel where a host looks for it and return its location."""
    return storage.put(panel.panel_id.removeprefix("0x"), panel.to_bytes())


def random_hash(rng: np.random.Generator) -> str:
    return to_hex(rng.bytes(32))
