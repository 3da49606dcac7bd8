"""``phewas-variant`` and ``phewas-score``: one predictor against many traits, each by its kind.

Everybody has every trait: were each trait tested on those who have it, a few people more or fewer could be arranged
behind the back of the comparison with earlier cohorts, which knows one cohort for each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis.effect import Effect, effect_if_any, is_case_control
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.leverage import mean_dosage
from nebula.analysis.people import DISCRETE_VALUES, cohort_components, smallest_group, trait_and_covariates
from nebula.analysis.result import AnalysisResult
from nebula.analysis.score_on_panel import matched_on_panel
from nebula.analysis.score_parameters import ScorePhewas, VariantPhewas
from nebula.analysis.scores import person_scores, well_counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import CohortInput, Table

_COLUMNS = {"trait": object, "test": object} | dict.fromkeys(("n", "n_cases", "n_controls", "fewest"), np.int64)


def run_phewas(analysis: str, parameters: VariantPhewas | ScorePhewas, cohort: CohortInput) -> AnalysisResult:
    """One row for each trait that has an estimate."""
    people, _, columns = trait_and_covariates(None, (*parameters.traits, *parameters.covariates), cohort)
    chosen = cohort.select_people(people)
    traits = dict(zip(parameters.traits, columns.T, strict=False))
    named = columns[:, len(traits) :]
    covariates = np.hstack([named, cohort_components(parameters, chosen)])
    if isinstance(parameters, VariantPhewas):
        predictor, copies = _variant(parameters, chosen, traits)
    else:
        predictor, copies = _score(parameters, chosen, traits), dict.fromkeys(traits, len(columns))
    rows = []
    for name, trait in traits.items():
        effect = effect_if_any(trait, predictor, covariates)
        if effect is not None:
            fewest = min(copies[name], _rarest_class(trait))
            rows.append({"trait": name, "fewest": fewest} | _numbers(effect, trait))
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=_predictor(parameters, chosen, len(rows)) | _table(rows),
        people=len(columns),
        smallest_group=smallest_group(named),
        fitted=2 + covariates.shape[1],
        sites=len(cohort.sites),
        summary={"traits_asked": len(traits)},
    )


def _predictor(parameters: VariantPhewas | ScorePhewas, cohort: CohortInput, rows: int) -> Table:
    """Say in each row which variant, and which of its alleles, an effect is of; the terms name a score."""
    if isinstance(parameters, ScorePhewas):
        return {}
    site = cohort.sites.select(cohort.sites.find([parameters.variant])).columns()
    return {name: np.repeat(site[name], rows) for name in ("variant_id", "effect_allele")}


def _variant(
    parameters: VariantPhewas, cohort: CohortInput, traits: dict[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Copies of the alternate allele, and for each trait what floors decide on."""
    row = cohort.sites.find([parameters.variant])
    matrix = cohort.matrix.select_variants(row)
    copies = {}
    for name, trait in traits.items():
        groups = [trait == value for value in np.unique(trait)] if is_case_control(trait) else [np.isfinite(trait)]
        copies[name] = min(int(GenotypeCounts.of(matrix.select_samples(group)).fewest[0]) for group in groups)
    return mean_dosage(matrix, [0])[:, 0], copies


def _score(parameters: ScorePhewas, cohort: CohortInput, traits: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Everybody's score, in its standard deviations."""
    matched = matched_on_panel(parameters, cohort)
    matrix = cohort.matrix.select_variants(matched.rows)
    used = well_counted(matrix, list(traits.values()), parameters.minimum_copies)
    scores = person_scores(cohort.matrix, matched, used)
    spread = float(scores.std(ddof=1))
    return scores / spread if spread > 0 else scores


def _rarest_class(trait: NDArray[np.float64]) -> int:
    _, sizes = np.unique(trait, return_counts=True)
    return int(sizes.min()) if len(sizes) <= DISCRETE_VALUES else len(trait)


def _numbers(effect: Effect, trait: NDArray[np.float64]) -> dict[str, Any]:
    cases = int((trait == trait.max()).sum()) if effect.test != "OLS" else -1
    return {
        "beta": effect.beta,
        "standard_error": effect.standard_error,
        "neg_log_10_p_value": effect.neg_log10_p,
        "test": effect.test,
        "n": len(trait),
        "n_cases": cases,
        "n_controls": len(trait) - cases if cases >= 0 else -1,
        "leverage": effect.leverage,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    names = ("trait", "beta", "standard_error", "neg_log_10_p_value", "test", "n", "n_cases", "n_controls")
    every = (*names, "fewest", "leverage")
    return {name: np.array([row[name] for row in rows], dtype=_COLUMNS.get(name, np.float64)) for name in every}
