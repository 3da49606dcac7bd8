"""Who is related to whom: KING-robust kinship, families, and a set of people of whom no two are relatives.

Kinship says nothing about ancestry here: the estimator compares two people with each other alone (Manichaikul et al.,
Bioinformatics 26, 2010). Expected are 1/2 for one person twice, 1/4 for parents, children and siblings, 1/8 for the
second degree, 1/16 for the third, and 0 or less for strangers. All of it describes single people and stays inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from nebula import _native
from nebula.analysis.products import workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix

# Borders half way between degrees, on a logarithmic scale, as KING has them: twins or one person twice, first, second
# and third degree.
DEGREES = (2**-1.5, 2**-2.5, 2**-3.5, 2**-4.5)
# Relatives for all purposes of this network are those of the second degree and closer.
RELATED = DEGREES[2]


@dataclass(frozen=True, slots=True, eq=False)
class Kinship:
    """Pairs of people, each once, the earlier first, in order.

    Attributes:
        first: index of one person, shape (pairs,).
        second: index of the other, larger than ``first``.
        kinship: KING-robust coefficient over the variants that both have; NaN where one has no heterozygote there.
        samples: people among whom the pairs were looked for.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    kinship: NDArray[np.float64]
    samples: int

    def at_least(self, minimum: float) -> Kinship:
        """The pairs of a kinship of ``minimum`` or more."""
        chosen = self.kinship >= minimum
        return Kinship(self.first[chosen], self.second[chosen], self.kinship[chosen], self.samples)

    def families(self) -> NDArray[np.int64]:
        """Number of each person's family, shape (samples,): whoever is linked by pairs is one family."""
        ones = np.ones(len(self.first), dtype=np.int8)
        graph = sparse.coo_array((ones, (self.first, self.second)), shape=(self.samples, self.samples))
        _, labels = csgraph.connected_components(graph, directed=False)
        return np.asarray(labels, dtype=np.int64)

    def unrelated(self) -> NDArray[np.bool_]:
        """Who stays so that no pair does, shape (samples,); nobody could be taken back in.

        Whoever has most relatives left goes first; of several, the last in the cohort's order. Whoever of a removed
        pair no longer has a relative stays. Who went before all of their relatives did comes back, first in the
        cohort's order first.
        """
        kept = np.ones(self.samples, dtype=np.bool_)
        relatives: dict[int, set[int]] = {}
        for one, other in zip(self.first.tolist(), self.second.tolist(), strict=True):
            relatives.setdefault(one, set()).add(other)
            relatives.setdefault(other, set()).add(one)
        all_relatives = {person: list(others) for person, others in relatives.items()}
        while relatives:
            gone = max(relatives, key=lambda person: (len(relatives[person]), person))
            kept[gone] = False
            for other in relatives.pop(gone):
                relatives[other].discard(gone)
                if not relatives[other]:
                    del relatives[other]
        for person in np.flatnonzero(~kept).tolist():
            kept[person] = not kept[all_relatives[person]].any()
        return kept

    def degrees(self) -> NDArray[np.int64]:
        """Pairs by degree, shape (4,): one person twice or twins, then first to third degree."""
        borders = (np.inf, *DEGREES)
        spans = zip(borders[1:], borders[:-1], strict=True)
        return np.array([((self.kinship >= low) & (self.kinship < high)).sum() for low, high in spans], dtype=np.int64)


def find_relatives(matrix: PackedMatrix, minimum: float = RELATED, *, threads: int | None = None) -> Kinship:
    """Find all pairs with a kinship of ``minimum`` or more.

    Args:
        matrix: the cohort on autosomal variants. Common ones tell most; linked ones do no harm.
        minimum: of the pairs returned; minus infinity returns all, those without an estimate, NaN, too.
        threads: results do not depend on it.

    Equal to ``plink2 --make-king-table`` on the same variants, which divides by zero where one has no heterozygote.
    """
    first, second, kinship = _native.kinship_pairs(matrix.packed, matrix.samples, minimum, workers(threads))
    return Kinship(first, second, kinship, matrix.samples)
