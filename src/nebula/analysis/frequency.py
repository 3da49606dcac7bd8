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
        counts: int64, shape (variants, 4): hom-ref, het, hom-alt, missing. Who has one copy and it is the alternate
            allele stands under het.
        copies: of each variant in everybody observed: 2, or an array of shape (variants,) that has 1 where people have
            one copy.
    """

    counts: NDArray[np.int64]
    copies: NDArray[np.int64] | int = 2

    @classmethod
    def of(cls, matrix: PackedMatrix, copies: NDArray[np.int64] | int = 2) -> GenotypeCounts:
        """Count a whole cohort."""
        return cls(matrix.counts(), copies)

    def select(self, rows: NDArray[np.bool_]) -> GenotypeCounts:
        """The counts of some variants."""
        return GenotypeCounts(self.counts[rows], self.copies if isinstance(self.copies, int) else self.copies[rows])

    @property
    def observed(self) -> NDArray[np.int64]:
        """People with a genotype, shape (variants,)."""
        observed: NDArray[np.int64] = self.counts[:, :3].sum(axis=1)
        return observed

    @property
    def alternate(self) -> NDArray[np.int64]:
        """Alternate alleles, shape (variants,)."""
        alternate: NDArray[np.int64] = self.counts[:, 1] + self.copies * self.counts[:, 2]
        return alternate

    @property
    def alleles(self) -> NDArray[np.int64]:
        """Alleles of either kind, shape (variants,)."""
        alleles: NDArray[np.int64] = self.copies * self.observed
        return alleles

    @property
    def minor(self) -> NDArray[np.int64]:
        """Copies of the rarer allele, shape (variants,)."""
        rarer: NDArray[np.int64] = np.minimum(self.alternate, self.alleles - self.alternate)
        return rarer

    @property
    def fewest(self) -> NDArray[np.int64]:
        """What floors decide on, shape (variants,): copies of the rarer allele, or people if these are fewer.

        Counted are people whose genotype is not the commonest: where all but one are heterozygous, or carry the one
        copy that they have, neither allele is rare, and what is told is about that one.
        """
        apart = self.observed - self.counts[:, :3].max(axis=1)
        fewest: NDArray[np.int64] = np.minimum(self.minor, apart)
        return fewest

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
        return allele_frequency(self.alternate, self.alleles)

    def common(self, minimum_maf: float, maximum_missing: float) -> NDArray[np.bool_]:
        """Which variants vary, are common enough and are called in enough people, shape (variants,)."""
        enough = self.minor >= np.maximum(1, self.alleles * minimum_maf)
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


def allele_frequency(alternate: NDArray[np.int64], alleles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide alternate alleles by all alleles; NaN where there is none."""
    out = np.full(len(alleles), np.nan)
    np.divide(alternate, alleles, out=out, where=alleles > 0)
    return out
