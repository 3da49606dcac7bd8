"""The analyses that an enclave offers, by name and version.

A name never changes its meaning: what would change a result gets the next version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis import linear, structure
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.inputs import CohortInput, Sites, Table
from nebula.analysis.parameters import AlleleFrequency, LinearGwas, Parameters, parameters_digest
from nebula.analysis.regional import LinearModel, frequency_table, run_all
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A column with at most this many different values is a classification of people, not a measurement.
DISCRETE_VALUES = 10
AUTOSOMES = 22


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
    """

    analysis: str
    parameters: Parameters
    table: Table
    people: int
    smallest_group: int
    fitted: int
    sites: int

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
    if isinstance(parameters, LinearGwas):
        return _linear(analysis, parameters, cohort)
    return _frequency(analysis, parameters, cohort)


def analysed_people(parameters: LinearGwas, cohort: CohortInput) -> NDArray[np.bool_]:
    """Who has the trait and every covariate: shape (samples,). The rest leaves the analysis, PCs too."""
    columns = cohort.phenotype_matrix([parameters.trait, *parameters.covariates])
    return linear.complete_cases(*columns.T)


def cohort_components(parameters: LinearGwas, cohort: CohortInput) -> NDArray[np.float64]:
    """The components of the people given, from common, autosomal, LD-pruned variants.

    Shape (samples, pcs). They describe single people and never leave an enclave.
    """
    counts = GenotypeCounts.of(cohort.matrix)
    numbers = cohort.sites.chromosome_numbers()
    common = (
        (counts.minor >= np.maximum(1, 2 * counts.observed * parameters.pc_minimum_maf))
        & (counts.missing_share <= parameters.maximum_missing)
        & (numbers >= 1)
        & (numbers <= AUTOSOMES)
    )
    matrix = cohort.matrix.select_variants(common)
    kept = structure.prune_linked(
        matrix,
        numbers[common],
        window=parameters.prune_window,
        step=parameters.prune_step,
        r_squared=parameters.prune_r_squared,
    )
    return structure.principal_components(matrix.select_variants(kept), parameters.pcs, seed=parameters.seed)


def _linear(analysis: str, parameters: LinearGwas, cohort: CohortInput) -> AnalysisResult:
    """Complete cases, then components, then one regression per variant that is common enough."""
    cases = analysed_people(parameters, cohort)
    if not cases.any():
        raise RejectedInputError("analysis.nobody", "nobody has the trait and every covariate")
    names = [parameters.trait, *parameters.covariates]
    columns = cohort.phenotype_matrix(names)[cases]
    covariates = columns[:, 1:]
    if parameters.pcs:
        matrix = cohort.matrix if cases.all() else cohort.matrix.select_samples(cases)
        covariates = np.hstack([covariates, cohort_components(parameters, CohortInput(matrix, cohort.sites, {}))])
    model = LinearModel.fit(parameters, cases, columns[:, 0], covariates)
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=run_all(model, cohort),
        people=int(cases.sum()),
        smallest_group=_smallest_group(columns),
        fitted=model.basis.shape[1],
        sites=len(cohort.sites),
    )


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
