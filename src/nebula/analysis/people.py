"""Who is analysed and on which variants: complete cases, relatives, components. Shared by the catalogue's analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis import linear, structure
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.inputs import CohortInput
from nebula.analysis.kinship import find_relatives
from nebula.analysis.regional import AUTOSOMES
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.parameter_types import Stratified
    from nebula.analysis.parameters import Association, PopulationStructure
    from nebula.genome.matrix import PackedMatrix

# A column with at most this many different values is a classification of people, not a measurement.
DISCRETE_VALUES = 10


def analysed_people(parameters: Association, cohort: CohortInput) -> NDArray[np.bool_]:
    """Who has the trait and every covariate: shape (samples,). The rest leaves the analysis, PCs too."""
    columns = cohort.phenotype_matrix([parameters.trait, *parameters.covariates])
    return linear.complete_cases(*columns.T)


def trait_and_covariates(
    trait: str | None, covariates: Sequence[str], cohort: CohortInput
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None, NDArray[np.float64]]:
    """Return who has trait and covariates, shape (samples,), and of those the trait, None if unnamed, and covariates.

    Raises:
        RejectedInputError: ``analysis.nobody``, or a column that does not exist.
    """
    names = [*([] if trait is None else [trait]), *covariates]
    columns = cohort.phenotype_matrix(names)
    people = linear.complete_cases(*columns.T) if names else np.ones(cohort.matrix.samples, dtype=np.bool_)
    if not people.any():
        raise RejectedInputError("analysis.nobody", "nobody has the trait and every covariate")
    kept = columns[people]
    return people, (None if trait is None else kept[:, 0]), kept[:, int(trait is not None) :]


def cohort_components(parameters: Stratified | PopulationStructure, cohort: CohortInput) -> NDArray[np.float64]:
    """The components of the people given, from common, autosomal, LD-pruned variants.

    Shape (samples, pcs). They describe single people and never leave an enclave.
    """
    return structure.principal_components(pruned_variants(parameters, cohort), parameters.pcs, seed=parameters.seed)


def pruned_variants(parameters: Stratified | PopulationStructure, cohort: CohortInput) -> PackedMatrix:
    """The cohort on common autosomal variants of which none repeats a neighbour: what components are made of."""
    common = common_variants(cohort, parameters.pc_minimum_maf, parameters.maximum_missing, autosomal=True)
    matrix = cohort.matrix.select_variants(common)
    kept = structure.prune_linked(
        matrix,
        cohort.sites.chromosome_numbers()[common],
        window=parameters.prune_window,
        step=parameters.prune_step,
        r_squared=parameters.prune_r_squared,
    )
    return matrix.select_variants(kept)


def common_variants(
    cohort: CohortInput, minimum_maf: float, maximum_missing: float, *, autosomal: bool = False
) -> NDArray[np.bool_]:
    """Variants that vary, are common enough and are called in enough people, shape (variants,)."""
    chosen = GenotypeCounts.of(cohort.matrix, cohort.sites.copies()).common(minimum_maf, maximum_missing)
    if autosomal:
        numbers = cohort.sites.chromosome_numbers()
        chosen &= (numbers >= 1) & (numbers <= AUTOSOMES)
    return chosen


def without_relatives(parameters: Association, cohort: CohortInput, people: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the people chosen, those who stay so that no two are relatives, shape (samples,)."""
    chosen = CohortInput(cohort.matrix.select_samples(people), cohort.sites, {})
    common = common_variants(chosen, parameters.pc_minimum_maf, parameters.maximum_missing, autosomal=True)
    kept = find_relatives(chosen.matrix.select_variants(common)).unrelated()
    out = np.zeros(len(people), dtype=np.bool_)
    out[np.flatnonzero(people)[kept]] = True
    return out


def as_cases(trait: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the larger of a trait's two values, 0 for the smaller."""
    values = np.unique(trait)
    if len(values) != 2:  # noqa: PLR2004
        raise RejectedInputError(
            "analysis.not-case-control", "the trait has not exactly two values", hint="gwas-linear takes measurements"
        )
    return np.asarray(trait == values[1], dtype=np.float64)


def smallest_group(columns: NDArray[np.float64]) -> int:
    """People in the rarest class among the columns that classify; everyone where none does."""
    smallest = len(columns)
    for column in columns.T:
        _, sizes = np.unique(column, return_counts=True)
        if len(sizes) <= DISCRETE_VALUES:
            smallest = min(smallest, int(sizes.min()))
    return smallest
