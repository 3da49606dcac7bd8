"""Everyone's genotypes at sites of a file set, of PLINK 1 or PLINK 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nebula.genome.plink.bed import Bed
from nebula.genome.plink.pgen import Pgen, is_pgen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source
    from nebula.genome.matrix import PackedMatrix
    from nebula.genome.plink.people import People
    from nebula.genome.plink.sites import Sites


class Genotypes(Protocol):
    """An open file of genotypes."""

    format_name: str

    def read(self, rows: NDArray[np.int64], *, a1_is_reference: NDArray[np.bool_]) -> PackedMatrix:
        """Copies of ALT at some sites of two alleles, shape (rows, people)."""


def open_genotypes(source: Source, sites: Sites, people: People) -> Genotypes:
    """Open what its first bytes say: a ``.bed`` or a ``.pgen``.

    Raises:
        RejectedInputError: ``plink.magic``, ``plink.person-major``, ``plink.size``, ``plink.pgen``: it is neither, or
            not of these sites and people.
    """
    if is_pgen(source):
        return Pgen(source, alleles=sites.alleles(), people=len(people))
    return Bed(source, sites=len(sites), people=len(people))
