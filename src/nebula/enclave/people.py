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

    from nebula.enclave.columns import Column, PhenotypeColumns
    from nebula.genome.matrix import PackedMatrix
    from nebula.genome.panel import Panel
    from nebula.protocol.beacon import Filter, Query, VariantParameters


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Person i is column i of ``genotypes`` and row i of every column of ``phenotypes``."""

    panel: Panel
    genotypes: PackedMatrix
    phenotypes: PhenotypeColumns

    def who_fits(self, query: Query) -> NDArray[np.bool_]:
        """Return who carries the variant and fits every filter, shape (people,).

        A missing genotype is no carrier's, a missing phenotype fits nothing.

        Raises:
            RejectedInputError: ``discovery.assembly``, ``discovery.variant``: the panel has no such site.
        """
        fitting = np.ones(self.phenotypes.people, dtype=np.bool_)
        if query.request_parameters is not None:
            row = self._row(query.request_parameters)
            fitting &= self.genotypes.dosage([row])[0] > 0
        for condition in query.filters:
            fitting &= who_fits(self.phenotypes.column(condition.id), condition)
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


def who_fits(column: Column, condition: Filter) -> NDArray[np.bool_]:
    """Return who fits a filter by their own cell of its column, shape (people,)."""
    if isinstance(condition.value, str):
        return np.asarray(column.category == condition.value)
    in_its_unit = column.unit == (condition.unit or "")
    # NaN, where there is no number, is neither equal to anything, nor more, nor less.
    match condition.operator:
        case Operator.IS:
            fitting = column.number == condition.value
        case Operator.AT_LEAST:
            fitting = column.number >= condition.value
        case Operator.AT_MOST:
            fitting = column.number <= condition.value
    return np.asarray(in_its_unit & fitting)
