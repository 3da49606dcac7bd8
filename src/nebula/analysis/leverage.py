"""How much of an estimate hangs on a single person: leverage, the diagonal of the hat matrix.

Ten people who are alike have a tenth each; a person whom no other resembles has 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.linear import covariate_basis
from nebula.analysis.products import dosage_lines, genotypes_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix

# Shares below this are not told apart.
SMALL_SHARE = 0.1


def mean_dosage(matrix: PackedMatrix, rows: Sequence[int]) -> NDArray[np.float64]:
    """Copies of the alternate allele on some rows, a missing genotype at the mean: shape (samples, rows)."""
    dosage = matrix.dosage(np.asarray(rows, dtype=np.int64)).astype(np.float64)
    seen = dosage >= 0
    means = np.where(seen, dosage, 0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return np.asarray(np.where(seen, dosage, means[:, None]).T)


def block_leverage(columns: NDArray[np.float64], covariates: NDArray[np.float64]) -> float:
    """The largest share that one person has in any mixture of some columns, beyond covariates; 0 without columns.

    Args:
        columns: shape (samples, k).
        covariates: shape (samples, c), without the intercept.
    """
    if not columns.shape[1]:
        return 0.0
    inner = covariate_basis(covariates, len(columns)).shape[1]
    both = covariate_basis(np.hstack([covariates, columns]), len(columns))
    return float((both[:, inner:] ** 2).sum(axis=1).max())


def row_leverage(matrix: PackedMatrix, basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest share of one person in what a basis leaves of each variant: shape (variants,).

    0 where nobody can have a tenth; exact elsewhere. A genotype is at most 2 from the mean, and what the basis explains
    of it at most the root of the person's own leverage in the basis times the length of all that is explained.
    Missing genotypes are at the mean.

    Args:
        matrix: of the people.
        basis: orthonormal, the intercept its first column, shape (samples, rank).
    """
    counts = GenotypeCounts.of(matrix)
    lines = dosage_lines(counts)
    values = np.column_stack([np.zeros(len(lines)), lines[:, 1], 2 * lines[:, 1], lines[:, 2]])
    squares = (counts.counts * values**2).sum(axis=1)
    along = genotypes_times(matrix, lines, basis) ** 2
    left = squares - along.sum(axis=1)
    furthest = 2 + np.sqrt((basis[:, 1:] ** 2).sum(axis=1).max(initial=0.0) * along[:, 1:].sum(axis=1))
    found = np.zeros(matrix.variants)
    for row in np.flatnonzero(furthest**2 > SMALL_SHARE * left):
        genotypes = mean_dosage(matrix, [int(row)])[:, 0]
        rest = genotypes - basis @ (basis.T @ genotypes)
        found[row] = float((rest**2).max() / max(float(rest @ rest), np.finfo(float).tiny))
    return found


def largest_leverage(values: NDArray[np.float64]) -> float:
    """The largest share that one person has in the variance of a column; 0 where nothing varies."""
    centred = values - values.mean()
    total = float(centred @ centred)
    return float((centred**2).max() / total) if total > 0 else 0.0
