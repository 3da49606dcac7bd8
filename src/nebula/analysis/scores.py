"""Weighted allele sums: many scores of everybody in one walk over the genotypes.

They describe single people and stay inside; what leaves are distributions and associations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.effect import is_case_control
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.products import dosage_lines, transposed_genotypes_times
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.score_match import MatchedScore
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


def person_scores(matrix: PackedMatrix, matched: MatchedScore, used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Score people, shape (samples,): the weights of each one's copies, summed over variants.

    A missing genotype weighs as much as those observed do on average, as ``plink2 --score`` has it.

    Args:
        matrix: on the whole panel.
        matched: rows of that panel.
        used: which of the matched rows count, shape (matched,).
    """
    rows, turned, weights = matched.rows[used], matched.effect_is_reference[used], matched.weights[used]
    none, one, two = weights.T
    additive = two - one == one - none
    linear = np.flatnonzero(additive)
    part = matrix.select_variants(rows[linear])
    steps = (one - none)[linear, None]
    scores = score_people(part, steps, effect_is_reference=turned[linear])[:, 0] + none[linear].sum()
    for index in np.flatnonzero(~additive):
        dosage = matrix.dosage([int(rows[index])])[0].astype(np.int64)
        seen = dosage >= 0
        values = weights[index][np.where(turned[index], 2 - dosage, dosage)]
        scores = scores + np.where(seen, values, values[seen].mean() if seen.any() else 0.0)
    return np.asarray(scores)


def well_counted(matrix: PackedMatrix, traits: Sequence[NDArray[np.float64]], least: int) -> NDArray[np.bool_]:
    """Which variants have enough copies of both alleles; among cases and among controls, where a trait has such.

    Raises:
        RejectedInputError: ``analysis.score-empty``; none has.
    """
    enough = GenotypeCounts.of(matrix).fewest >= least
    for trait in traits:
        for value in np.unique(trait) if is_case_control(trait) else ():
            enough &= GenotypeCounts.of(matrix.select_samples(trait == value)).fewest >= least
    if not enough.any():
        raise RejectedInputError("analysis.score-empty", "no variant of the score is carried often enough to be scored")
    return np.asarray(enough)
