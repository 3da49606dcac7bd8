"""The autosomal part of people's vectors: what is the same for both sexes, as comparisons of people need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import X
from nebula.genome.matrix import PackedMatrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel


def autosomal_part(vectors: NDArray[np.uint8], panel: Panel) -> PackedMatrix:
    """Cut vectors on a panel down to chromosomes 1 to 22, which come first on every panel.

    Args:
        vectors: packed codes in panel order, shape (people, ceil(sites / 4)).
        panel: that they are on.

    Returns:
        One row for each person, one column for each autosomal site: ``counts()`` counts a person's genotypes.
    """
    sites = int(panel.keys.searchsorted(np.uint64(variant_keys.of_chromosome(X)[0])))
    packed = np.array(vectors[:, : -(-sites // 4)], np.uint8, order="C")
    if used := sites % 4:
        packed[:, -1] &= (1 << (2 * used)) - 1
    return PackedMatrix(packed, sites)


def compared(vectors: NDArray[np.uint8], panel: Panel, *, most_sites: int) -> PackedMatrix:
    """Lay people's autosomal codes side by side, as kinship takes them.

    Args:
        vectors: packed codes in panel order, shape (people, ceil(sites / 4)).
        panel: that they are on.
        most_sites: of so many at most, evenly spread over the autosomes.

    Returns:
        One row for each chosen site, one column for each person.
    """
    part = autosomal_part(vectors, panel)
    step = max(1, -(-part.samples // most_sites))
    chosen = part.select_samples(np.arange(0, part.samples, step))
    return PackedMatrix(_native.transpose_matrix(chosen.packed, chosen.samples), len(vectors))
