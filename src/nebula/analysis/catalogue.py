"""The analyses that an enclave offers, by name and version.

A name never changes its meaning: what would change a result gets the next version.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis import linear, logistic, structure
from nebula.analysis.frequency import GenotypeCounts, minor_copies
from nebula.analysis.inputs import CohortInput, Sites, Table
from nebula.analysis.kinship import DEGREES, RELATED, find_relatives
from nebula.analysis.parameters import (
    AlleleFrequency,
    Association,
    Discovery,
    KinshipCounts,
    LinearGwas,
    LogisticGwas,
    Parameters,
    PopulationStructure,
    Relatives,
    parameters_digest,
)
from nebula.analysis.regional import AUTOSOMES, LinearModel, counts_table, frequency_table, run_all
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix

# A column with at most this many different values is a classification of people, not a measurement.
DISCRETE_VALUES = 10
KINSHIP_ROWS = (
    "pairs: one person twice, or twins",
    "pairs of the first degree",
    "pairs of the second degree",
    "pairs of the third degree",
    "families of two people or more, to the second degree",
    "people who would have to leave so that no two are related, to the second degree",
)


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisResult:
    """What an analysis found, before disclosure control. It must not leave the enclave as it is.

    Attributes:
        analysis: name and version.
        parameters: as they were asked for.
        table: one row per variant. Besides what is published it holds ``minor_allele_count``, on which
            floors decide.
        people: how many people the numbers are about.
        smallest_group: people in the rarest class of any classifying column used (trait or covariate).
        fitted: parameters estimated per variant from the cohort, beside the variant's own; 0 for counts.
        sites: variants looked at, before any was left out.
        left_out: people of the cohort whom the analysis itself left out, because of relatives.
        summary: other numbers about the cohort, none of them a count of people.
    """

    analysis: str
    parameters: Parameters
    table: Table
    people: int
    smallest_group: int
    fitted: int
    sites: int
    left_out: int = 0
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        """Digest of analysis and parameters."""
        return parameters_digest(self.analysis, self.parameters)


def run(analysis: str, parameters: Parameters, cohort: CohortInput) -> AnalysisResult:
    """Run a named analysis over a cohort.

    Raises:
        RejectedInputError: no such analysis, a column that does not exist, or nobody to analyse.
    """
    parameters_digest(analysis, parameters)  # refuses parameters of another analysis
    match parameters:
        case LinearGwas() | LogisticGwas():
            return _association(analysis, parameters, cohort)
        case KinshipCounts():
            return _kinship(analysis, parameters, cohort)
        case PopulationStructure():
            return _structure(analysis, parameters, cohort)
        case AlleleFrequency(groups=None):
            return _frequency(analysis, parameters, cohort)
        case AlleleFrequency():
            return _frequency_by_group(analysis, parameters, cohort)
        case Discovery():
            raise RejectedInputError("analysis.discovery", "a discovery answers questions; it has no one result")


def analysed_people(parameters: Association, cohort: CohortInput) -> NDArray[np.bool_]:
    """Who has the trait and every covariate: shape (samples,). The rest leaves the analysis, PCs too."""
    columns = cohort.phenotype_matrix([parameters.trait, *parameters.covariates])
    return linear.complete_cases(*columns.T)


def cohort_components(parameters: Association | PopulationStructure, cohort: CohortInput) -> NDArray[np.float64]:
    """The components of the people given, from common, autosomal, LD-pruned variants.

    Shape (samples, pcs). They describe single people and never leave an enclave.
    """
    return structure.principal_components(_pruned(parameters, cohort), parameters.pcs, seed=parameters.seed)


def _pruned(parameters: Association | PopulationStructure, cohort: CohortInput) -> PackedMatrix:
    common = _common(cohort, parameters.pc_minimum_maf, parameters.maximum_missing, autosomal=True)
    matrix = cohort.matrix.select_variants(common)
    kept = structure.prune_linked(
        matrix,
        cohort.sites.chromosome_numbers()[common],
        window=parameters.prune_window,
        step=parameters.prune_step,
        r_squared=parameters.prune_r_squared,
    )
    return matrix.select_variants(kept)


def _common(
    cohort: CohortInput, minimum_maf: float, maximum_missing: float, *, autosomal: bool = False
) -> NDArray[np.bool_]:
    """Variants that vary, are common enough and are called in enough people, shape (variants,)."""
    counts = GenotypeCounts.of(cohort.matrix)
    enough = counts.minor >= np.maximum(1, 2 * counts.observed * minimum_maf)
    chosen = enough & (counts.missing_share <= maximum_missing)
    if autosomal:
        numbers = cohort.sites.chromosome_numbers()
        chosen &= (numbers >= 1) & (numbers <= AUTOSOMES)
    return np.asarray(chosen)


def _association(analysis: str, parameters: LinearGwas | LogisticGwas, cohort: CohortInput) -> AnalysisResult:
    """Complete cases, relatives, then components, then one regression per variant that is common enough."""
    cases = analysed_people(parameters, cohort)
    if not cases.any():
        raise RejectedInputError("analysis.nobody", "nobody has the trait and every covariate")
    complete = int(cases.sum())
    if parameters.relatives is Relatives.DROP:
        cases = _without_relatives(parameters, cohort, cases)
    columns = cohort.phenotype_matrix([parameters.trait, *parameters.covariates])[cases]
    matrix = cohort.matrix if cases.all() else cohort.matrix.select_samples(cases)
    chosen = CohortInput(matrix, cohort.sites, {})
    covariates = columns[:, 1:]
    if parameters.pcs:
        covariates = np.hstack([covariates, cohort_components(parameters, chosen)])
    if isinstance(parameters, LinearGwas):
        model = LinearModel.fit(parameters, cases, columns[:, 0], covariates)
        table, fitted = run_all(model, cohort), model.basis.shape[1]
    else:
        tested = _common(chosen, parameters.minimum_maf, parameters.maximum_missing)
        found = logistic.associate_cases(matrix.select_variants(tested), _as_cases(columns[:, 0]), covariates)
        table, fitted = _case_table(cohort.sites.select(tested), found), found.covariates
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=table,
        people=len(columns),
        smallest_group=_smallest_group(columns),
        fitted=fitted,
        sites=len(cohort.sites),
        left_out=complete - len(columns),
    )


def _without_relatives(parameters: Association, cohort: CohortInput, people: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the people chosen, those who stay so that no two are relatives, shape (samples,)."""
    chosen = CohortInput(cohort.matrix.select_samples(people), cohort.sites, {})
    common = _common(chosen, parameters.pc_minimum_maf, parameters.maximum_missing, autosomal=True)
    kept = find_relatives(chosen.matrix.select_variants(common)).unrelated()
    out = np.zeros(len(people), dtype=np.bool_)
    out[np.flatnonzero(people)[kept]] = True
    return out


def _as_cases(trait: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the larger of a trait's two values, 0 for the smaller."""
    values = np.unique(trait)
    if len(values) != 2:  # noqa: PLR2004
        raise RejectedInputError(
            "analysis.not-case-control", "the trait has not exactly two values", hint="gwas-linear takes measurements"
        )
    return np.asarray(trait == values[1], dtype=np.float64)


_TESTS = np.array(["", "SCORE", "WALD", "FIRTH"], dtype=object)


def _case_table(sites: Sites, found: logistic.CaseControlAssociations) -> Table:
    """As for measurements, and cases and controls apart; the rarer allele is counted where it is rarest."""
    estimated = found.no_fit == logistic.NoFit.NONE
    controls = found.observed - found.cases
    columns: dict[str, NDArray[Any]] = {
        "beta": found.beta,
        "standard_error": found.standard_error,
        "effect_allele_frequency": found.frequency,
        "neg_log_10_p_value": found.neg_log10_p,
        "n": found.observed,
        "n_cases": found.cases,
        "n_controls": controls,
        "effect_allele_frequency_cases": found.case_frequency,
        "effect_allele_frequency_controls": found.control_frequency,
        "test": _TESTS[found.method],
        "minor_allele_count": np.minimum(
            minor_copies(found.case_alternate, found.cases),
            minor_copies(found.alternate - found.case_alternate, controls),
        ),
    }
    return sites.select(estimated).columns() | {name: column[estimated] for name, column in columns.items()}


def _smallest_group(columns: NDArray[np.float64]) -> int:
    """People in the rarest class among the columns that classify; everyone where none does."""
    smallest = len(columns)
    for column in columns.T:
        _, sizes = np.unique(column, return_counts=True)
        if len(sizes) <= DISCRETE_VALUES:
            smallest = min(smallest, int(sizes.min()))
    return smallest


def _frequency(analysis: str, parameters: AlleleFrequency, cohort: CohortInput) -> AnalysisResult:
    rows = _within(cohort.sites, parameters.regions)
    within = cohort
    if not rows.all():
        within = CohortInput(cohort.matrix.select_variants(rows), cohort.sites.select(rows), {})
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=run_all(frequency_table, within),
        people=cohort.matrix.samples,
        smallest_group=cohort.matrix.samples,
        fitted=0,
        sites=len(cohort.sites),
    )


def _frequency_by_group(analysis: str, parameters: AlleleFrequency, cohort: CohortInput) -> AnalysisResult:
    """One row for each variant and class.

    What is rarest in any class decides about a variant in all of them: the same buyer may see the whole cohort's
    counts, and take the classes that are shown from it.
    """
    column = cohort.phenotype_matrix([parameters.groups or ""])[:, 0]
    people = np.isfinite(column)
    classes, sizes = np.unique(column[people], return_counts=True)
    if not 2 <= len(classes) <= DISCRETE_VALUES:  # noqa: PLR2004
        raise RejectedInputError(
            "analysis.not-groups", f"a column of groups has 2 to {DISCRETE_VALUES} values, not {len(classes)}"
        )
    rows = _within(cohort.sites, parameters.regions)
    sites, matrix = cohort.sites.select(rows), cohort.matrix.select_variants(rows)
    parts = [GenotypeCounts.of(matrix.select_samples(people & (column == one))) for one in classes]
    rarest = np.minimum.reduce([part.minor for part in parts])
    cells = np.stack([part.counts[:, :3] for part in parts])
    smallest = np.where(cells > 0, cells, np.iinfo(np.int64).max).min(axis=(0, 2))
    tables = [
        counts_table(sites, part)
        | {
            "group": np.full(len(sites), one),
            "minor_allele_count": rarest,
            "smallest_cell": smallest,
        }
        for one, part in zip(classes, parts, strict=True)
    ]
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table={name: np.concatenate([table[name] for table in tables]) for name in tables[0]},
        people=int(people.sum()),
        smallest_group=int(sizes.min()),
        fitted=0,
        sites=len(cohort.sites),
    )


def _kinship(analysis: str, parameters: KinshipCounts, cohort: CohortInput) -> AnalysisResult:
    """Pairs by degree, families by size. They are counts of pairs and of families."""
    common = _common(cohort, parameters.minimum_maf, parameters.maximum_missing, autosomal=True)
    found = find_relatives(cohort.matrix.select_variants(common), DEGREES[-1])
    near = found.at_least(RELATED)
    _, sizes = np.unique(near.families(), return_counts=True)
    table: Table = {
        "relation": np.array(KINSHIP_ROWS, dtype=object),
        "count": np.array([*found.degrees(), (sizes > 1).sum(), (~near.unrelated()).sum()], dtype=np.int64),
    }
    people = cohort.matrix.samples
    return AnalysisResult(analysis, parameters, table, people, people, 0, len(cohort.sites))


def _structure(analysis: str, parameters: PopulationStructure, cohort: CohortInput) -> AnalysisResult:
    """Where people lie on each pair of neighbouring components, on a grid that does not depend on them."""
    matrix = _pruned(parameters, cohort)
    found = structure.leading_components(matrix, parameters.pcs, seed=parameters.seed)
    grids = [
        structure.people_on_grid(found.vectors[:, pair], pair.start + 1)
        for pair in (slice(first, first + 2) for first in range(0, parameters.pcs - 1, 2))
    ]
    people = cohort.matrix.samples
    table = {name: np.concatenate([grid[name] for grid in grids]) for name in grids[0]}
    summary = {
        "eigenvalues": [float(f"{value:.3e}") for value in found.values],
        "grid_step_standard_deviations": structure.GRID_STEP,
        "variants_used": matrix.variants,
    }
    result = AnalysisResult(analysis, parameters, table, people, people, parameters.pcs, len(cohort.sites))
    return replace(result, summary=summary)


def _within(sites: Sites, regions: tuple[str, ...]) -> NDArray[np.bool_]:
    """Sites in any of the regions (1-based, both ends included); all of them where none is named."""
    if not regions:
        return np.ones(len(sites), dtype=np.bool_)
    numbers = sites.chromosome_numbers()
    inside = np.zeros(len(sites), dtype=np.bool_)
    for region in regions:
        name, _, span = region.partition(":")
        first, _, last = span.partition("-")
        one = Sites(np.array([name]), np.zeros(1, np.int64), np.array([""]), np.array([""]))
        number = one.chromosome_numbers()[0]
        inside |= (numbers == number) & (sites.position >= int(first)) & (sites.position <= int(last))
    return inside
