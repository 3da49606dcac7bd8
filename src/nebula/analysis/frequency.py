"""Allele frequencies, genotype counts, missingness and Hardy-Weinberg proportions per variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix


@dataclass(frozen=True, slots=True, eq=False)
class GenotypeCounts:
    """How many people have which genotype.

    Attributes:
        counts: int64, shape (variants, 4): hom-ref, het, hom-alt, missing.
    """

    counts: NDArray[np.int64]

    @classmethod
    def of(cls, matrix: PackedMatrix) -> GenotypeCounts:
        """Count a whole cohort."""
        return cls(matrix.counts())

    @property
    def observed(self) -> NDArray[np.int64]:
        """People with a genotype, shape (variants,)."""
        observed: NDArray[np.int64] = self.counts[:, :3].sum(axis=1)
        return observed

    @property
    def alternate(self) -> NDArray[np.int64]:
        """Alternate alleles, shape (variants,)."""
        alternate: NDArray[np.int64] = self.counts[:, 1] + 2 * self.counts[:, 2]
        return alternate

    @property
    def minor(self) -> NDArray[np.int64]:
        """Copies of the rarer allele, shape (variants,)."""
        return minor_copies(self.alternate, self.observed)

    @property
    def missing_share(self) -> NDArray[np.float64]:
        """Share of people without a genotype, shape (variants,); NaN where there is nobody at all."""
        people = self.counts.sum(axis=1)
        out = np.full(len(people), np.nan)
        np.divide(self.counts[:, 3], people, out=out, where=people > 0)
        return out

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Alternate-allele frequency, shape (variants,); NaN where every genotype is missing.

        Missing genotypes leave numerator and denominator, as in ``plink2 --freq``.
        """
        return allele_frequency(self.alternate, self.observed)

    def common(self, minimum_maf: float, maximum_missing: float) -> NDArray[np.bool_]:
        """Which variants vary, are common enough and are called in enough people, shape (variants,)."""
        enough = self.minor >= np.maximum(1, 2 * self.observed * minimum_maf)
        return np.asarray(enough & (self.missing_share <= maximum_missing))

    def hardy_weinberg(self, *, mid: bool = False) -> NDArray[np.float64]:
        """Exact p of Hardy-Weinberg proportions, shape (variants,); 1 where one allele is absent.

        Args:
            mid: count tables as likely as the one seen by half, so that small p are as frequent as they should be; 0.5
                where one allele is absent.

        Source: Wigginton, Cutler, Abecasis, AJHG 76 (2005), as ``plink2 --hardy``; Graffelman and Moreno, Stat. Appl.
        Genet. Mol. Biol. 12 (2013) for mid-p, as ``plink2 --hardy midp``.
        """
        return _native.hardy_weinberg(np.ascontiguousarray(self.counts), mid)


def minor_copies(alternate: NDArray[np.int64], observed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the rarer allele among the people observed."""
    rarer: NDArray[np.int64] = np.minimum(alternate, 2 * observed - alternate)
    return rarer


def allele_frequency(alternate: NDArray[np.int64], observed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide alternate alleles by all alleles observed; NaN where nobody is observed."""
    out = np.full(len(observed), np.nan)
    np.divide(alternate, 2 * observed, out=out, where=observed > 0)
    return out
