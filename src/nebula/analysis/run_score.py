"""``polygenic-score``: how a score is spread over a cohort, and whether it goes with a trait. Nobody's score leaves.

Groups are made by rank, people of one score together, so that a score of few values does not part who is alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.effect import effect_on_trait, is_case_control
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.inputs import CohortInput
from nebula.analysis.people import cohort_components, smallest_group, trait_and_covariates
from nebula.analysis.result import AnalysisResult
from nebula.analysis.score_match import match_score
from nebula.analysis.score_parameters import ScoreWeights
from nebula.analysis.scores import score_people
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Sites, Table
    from nebula.analysis.projection_parameters import Projection
    from nebula.analysis.score_match import MatchedScore
    from nebula.analysis.score_parameters import PolygenicScore
    from nebula.analysis.scoring_file import ScoreVariant
    from nebula.genome.matrix import PackedMatrix


def run_score(analysis: str, parameters: PolygenicScore, cohort: CohortInput) -> AnalysisResult:
    """Match the score, score everyone analysed, and tell of groups and of the association."""
    matched = matched_on_panel(parameters, cohort)
    people, trait, covariates = trait_and_covariates(parameters.trait, parameters.covariates, cohort)
    matrix = cohort.matrix.select_samples(people)
    used = well_counted(
        matrix.select_variants(matched.rows), [] if trait is None else [trait], parameters.minimum_copies
    )
    scores = person_scores(matrix, matched, used)
    more: dict[str, Table] = {}
    leverage = largest_leverage(scores)
    fitted = 0
    if trait is not None:
        covariates = np.hstack([covariates, _components(parameters, matrix, cohort)])
        more["score_association.tsv"], inside = _association(trait, scores, covariates)
        leverage, fitted = max(leverage, inside), 2 + covariates.shape[1]
    classed = np.column_stack([column for column in (trait, covariates) if column is not None])
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=score_groups(scores, parameters.groups),
        people=matrix.samples,
        smallest_group=smallest_group(classed) if trait is not None else matrix.samples,
        fitted=fitted,
        sites=len(cohort.sites),
        summary={
            "score": parameters.score,
            "score_variants": len(matched.outcome),
            "variants_scored": int(used.sum()),
            "mean": float(scores.mean()),
            "standard_deviation": float(scores.std(ddof=1)),
        }
        | {f"variants_{kind}": rows for kind, rows in matched.report().items()},
        more=more,
        leverage=leverage,
    )


def matched_on_panel(parameters: ScoreWeights | Projection, cohort: CohortInput) -> MatchedScore:
    """Match the score's rows with the cohort's panel; refuses as ``match_panel``."""
    return match_panel(parameters, _variants(parameters, cohort), cohort.sites, cohort.assembly)


def match_panel(
    parameters: ScoreWeights | Projection, variants: Sequence[ScoreVariant], sites: Sites, assembly: str | None
) -> MatchedScore:
    """Match the rows of a score with a panel's sites.

    Raises:
        RejectedInputError: ``analysis.build``, or ``analysis.score-match`` where too few of them are there.
    """
    require_build(parameters, assembly)
    keep_ambiguous = isinstance(parameters, ScoreWeights) and parameters.keep_ambiguous
    matched = match_score(variants, sites, keep_ambiguous=keep_ambiguous)
    if not len(matched.rows) or matched.share < parameters.minimum_matched:
        raise RejectedInputError(
            "analysis.score-match",
            f"{len(matched.rows)} of the score's {len(matched.outcome)} variants are on the panel: too few",
            hint="lower minimum_matched, or ask for a panel that has them",
        )
    return matched


def require_build(parameters: ScoreWeights | Projection, assembly: str | None) -> None:
    """Refuse a score on another build than the panel's, ``analysis.build``."""
    if parameters.build != assembly:
        raise RejectedInputError(
            "analysis.build",
            f"the score is on {parameters.build}, the panel on {assembly or 'no build that is known'}",
            hint="take the score's file harmonised to the panel's build",
        )


def _variants(parameters: ScoreWeights | Projection, cohort: CohortInput) -> Sequence[ScoreVariant]:
    if not isinstance(parameters, ScoreWeights) or parameters.score_object is None:
        return parameters.variants
    if cohort.score is None:
        raise ValueError("the score's object was not read")
    return cohort.score


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


def score_groups(scores: NDArray[np.float64], groups: int) -> Table:
    """Part people by rank into groups of about equal size: columns ``group``, ``people``, ``mean_score``.

    Equal scores stay together, so that there may be fewer groups than asked for.
    """
    # Scores that differ by rounding alone are equal.
    plain = np.array([float(f"{value:.9g}") for value in scores.tolist()])
    place = np.searchsorted(np.sort(plain), plain, "left") * groups // len(plain)
    _, index, people = np.unique(place, return_inverse=True, return_counts=True)
    means = np.bincount(index, weights=scores) / people
    return {
        "group": np.arange(1, len(people) + 1),
        "people": people.astype(np.int64),
        "mean_score": means,
    }


def largest_leverage(values: NDArray[np.float64]) -> float:
    """The largest share that one person has in the variance of a column; 0 where nothing varies."""
    centred = values - values.mean()
    total = float(centred @ centred)
    return float((centred**2).max() / total) if total > 0 else 0.0


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


def _components(parameters: PolygenicScore, matrix: PackedMatrix, cohort: CohortInput) -> NDArray[np.float64]:
    return cohort_components(parameters, CohortInput(matrix, cohort.sites, {}))


def _association(
    trait: NDArray[np.float64], scores: NDArray[np.float64], covariates: NDArray[np.float64]
) -> tuple[Table, float]:
    """One row: the effect of one standard deviation of the score, and the leverage of the strongest person."""
    effect = effect_on_trait(trait, scores / scores.std(ddof=1), covariates)
    table: Table = {
        "beta_per_standard_deviation": np.array([effect.beta]),
        "standard_error": np.array([effect.standard_error]),
        "neg_log_10_p_value": np.array([effect.neg_log10_p]),
        "test": np.array([effect.test], dtype=object),
        "n": np.array([len(trait)], dtype=np.int64),
    }
    if effect.test == "OLS":
        return table | {"explained_variance": np.array([effect.explained])}, effect.leverage
    cases = trait == trait.max()
    table |= {
        "n_cases": np.array([cases.sum()], dtype=np.int64),
        "n_controls": np.array([(~cases).sum()], dtype=np.int64),
        "auc": np.array([area_under_curve(scores, cases)]),
    }
    return table, effect.leverage


def area_under_curve(scores: NDArray[np.float64], cases: NDArray[np.bool_]) -> float:
    """Chance that a case has a larger score than a control, ties counting half (Mann and Whitney)."""
    ordered = np.sort(scores)
    ranks = (np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right") + 1) / 2
    count, others = int(cases.sum()), int((~cases).sum())
    return float((ranks[cases].sum() - count * (count + 1) / 2) / (count * others))
