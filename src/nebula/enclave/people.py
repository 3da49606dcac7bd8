"""Whom a question fits: people's genotypes and phenotypes, laid out for counting.

SECURITY: whether a person fits is decided by that person's record alone. Nothing that others have decides it, no
common unit and no list of categories: otherwise one person would move a count by more than one, and noise would be
too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.keys import variant_key
from nebula.protocol.beacon import Operator
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.clinical.phenotypes import Phenotype, PhenotypeTable
    from nebula.genome.matrix import PackedMatrix
    from nebula.genome.panel import Panel
    from nebula.protocol.beacon import Filter, Query, VariantParameters


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Person i is column i of ``genotypes`` and row i of ``phenotypes``; None offers none."""

    panel: Panel
    genotypes: PackedMatrix
    phenotypes: tuple[PhenotypeTable | None, ...]

    def who_fits(self, query: Query) -> NDArray[np.bool_]:
        """Return who carries the variant and fits every filter, shape (people,).

        A missing genotype is no carrier's, a missing phenotype fits nothing.

        Raises:
            RejectedInputError: ``discovery.assembly``, ``discovery.variant``: the panel has no such site.
        """
        fitting = np.ones(len(self.phenotypes), dtype=np.bool_)
        if query.request_parameters is not None:
            row = self._row(query.request_parameters)
            fitting &= self.genotypes.dosage([row])[0] > 0
        for condition in query.filters:
            people = (fits(table, condition) for table in self.phenotypes)
            fitting &= np.fromiter(people, np.bool_, len(self.phenotypes))
        return fitting

    def _row(self, variant: VariantParameters) -> int:
        if variant.assembly_id != self.panel.assembly:
            raise RejectedInputError(
                "discovery.assembly",
                f"this discovery's positions are of {self.panel.assembly}, not of {variant.assembly_id}",
            )
        chromosome, position = variant.reference_name.removeprefix("chr"), variant.start[0] + 1
        alleles = variant.reference_bases, variant.alternate_bases
        (row,) = self.panel.locate(np.array([variant_key(chromosome, position, *alleles)], dtype=np.uint64))
        if row < 0 or (self.panel.site(int(row)).reference, self.panel.site(int(row)).alternate) != alleles:
            raise RejectedInputError(
                "discovery.variant",
                f"the panel of this discovery has no site {chromosome}-{position}-{'-'.join(alleles)}",
                hint="name it as VCF does after normalising: trimmed, left-aligned, one alternate allele",
            )
        return int(row)


def fits(table: PhenotypeTable | None, condition: Filter) -> bool:
    """Whether one person's phenotypes fit a filter."""
    found = _find(table, condition.id)
    if found is None:
        return False
    if isinstance(condition.value, str):
        return found.category == condition.value
    if found.number is None or (found.unit or None) != (condition.unit or None):
        return False
    match condition.operator:
        case Operator.IS:
            return found.number == condition.value
        case Operator.AT_LEAST:
            return found.number >= condition.value
        case Operator.AT_MOST:
            return found.number <= condition.value


def _find(table: PhenotypeTable | None, name: str) -> Phenotype | None:
    rows = table.phenotypes if table is not None else ()
    return next((phenotype for phenotype in rows if phenotype.name == name), None)
