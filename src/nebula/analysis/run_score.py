"""``polygenic-score``: how a score is spread over a cohort, and whether it goes with a trait. Nobody's score leaves.

Groups are made by rank, people of one score together, so that a score of few values does not part who is alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.effect import effect_on_trait
from nebula.analysis.inputs import CohortInput
from nebula.analysis.leverage import largest_leverage
from nebula.analysis.people import cohort_components, smallest_group, trait_and_covariates
from nebula.analysis.result import AnalysisResult
from nebula.analysis.score_on_panel import matched_on_panel
from nebula.analysis.scores import person_scores, well_counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table
    from nebula.analysis.score_parameters import PolygenicScore
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
