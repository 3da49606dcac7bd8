"""Weighted allele sums: many scores of everybody in one walk over the genotypes.

They describe single people and stay inside; what leaves are distributions and associations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.products import dosage_lines, transposed_genotypes_times
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix


def score_people(
    matrix: PackedMatrix,
    weights: NDArray[np.float64],
    *,
    effect_is_reference: NDArray[np.bool_] | None = None,
    impute: bool = True,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """Sum weighted effect alleles, for many scores at once.

    Args:
        matrix: the cohort, on the scores' variants.
        weights: shape (variants, scores), finite, rounded to single precision; 0 where a score lacks a variant.
        effect_is_reference: shape (variants,); where true the reference allele is the one weighted.
        impute: a missing genotype counts as twice the effect allele's frequency in the cohort; otherwise as none.
        threads: results do not depend on it.

    Returns:
        Shape (samples, scores): weights times effect alleles, summed over all variants, as ``plink2 --score`` does
        with its mean imputation, or its ``no-mean-imputation``.
    """
    if weights.ndim != 2 or len(weights) != matrix.variants or not np.isfinite(weights).all():  # noqa: PLR2004
        raise RejectedInputError(
            "analysis.weights", f"{matrix.variants} variants need as many rows of finite weights, not {weights.shape}"
        )
    lines = dosage_lines(GenotypeCounts.of(matrix), impute=impute)
    if effect_is_reference is not None:
        turned = np.column_stack([np.full(len(lines), 2.0), -lines[:, 1], (2 - lines[:, 2]) if impute else lines[:, 2]])
        lines = np.where(effect_is_reference[:, None], turned, lines)
    return transposed_genotypes_times(matrix, lines, weights, threads=threads)
