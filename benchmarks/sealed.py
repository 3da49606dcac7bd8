"""A cohort's records as they lie on storage: one encrypted vector and one encrypted phenotype table a person."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nebula import _native
from nebula.clinical.phenotypes import Phenotype, PhenotypeTable, parse_phenotypes
from nebula.crypt4gh.part import SealedPart, open_part, seal_part
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel
from nebula.genome.record.vector import AnalysisVector, parse_vector
from nebula.protocol.sealing import SealingKey


@dataclass(frozen=True)
class SealedRecord:
    """One person's parts."""

    genotypes: SealedPart
    phenotypes: SealedPart | None


def panel_of(sites: int) -> Panel:
    """Return a panel of single-base variants, ten bases apart on one chromosome, A to C."""
    keys = [_native.variant_key(1, 10 * (site + 1), b"A", b"C") for site in range(sites)]
    return Panel(name="benchmark", version="1", assembly="GRCh38", keys=np.array(keys, np.uint64), long_alleles={})


def seal_cohort(
    panel: Panel, matrix: PackedMatrix, columns: dict[str, NDArray[np.float64]] | None = None
) -> list[SealedRecord]:
    """Encrypt everyone's parts, each under a key of its own."""
    owner = SealingKey.generate().public_key
    people = _native.transpose_matrix(matrix.packed, matrix.samples)
    none = np.array([], np.uint64)
    records = []
    for person, row in enumerate(people):
        vector = AnalysisVector(panel.panel_id, panel.sites, row.tobytes(), none, b"")
        table = None
        if columns is not None:
            cells = (
                Phenotype(name=name, kind="number", unit="1", number=float(column[person]))
                for name, column in sorted(columns.items())
            )
            table = seal_part(PhenotypeTable(phenotypes=tuple(cells)).to_bytes(), owner)
        records.append(SealedRecord(seal_part(vector.to_bytes(), owner), table))
    return records


def open_sealed_part(part: SealedPart) -> bytes:
    """Decrypt a part and check it against what its manifest says."""
    return open_part(part.raw, part.data_key, part.digest, part.length_bytes)


def open_vectors(panel: Panel, records: list[SealedRecord]) -> Iterator[bytes]:
    """Decrypt, check and parse everyone's genotypes, one after the other."""
    for record in records:
        yield parse_vector(open_sealed_part(record.genotypes), panel).codes


def open_phenotypes(record: SealedRecord) -> PhenotypeTable:
    """Decrypt, check and parse a person's phenotypes."""
    if record.phenotypes is None:
        raise ValueError("the record has no phenotypes")
    return parse_phenotypes(open_sealed_part(record.phenotypes))
