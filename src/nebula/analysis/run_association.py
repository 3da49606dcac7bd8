"""``gwas-linear`` and ``gwas-logistic``: one regression for each common variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.inputs import CohortInput
from nebula.analysis.parameter_types import Relatives
from nebula.analysis.parameters import LinearGwas, LogisticGwas
from nebula.analysis.people import (
    analysed_people,
    cohort_components,
    smallest_group,
    without_relatives,
)
from nebula.analysis.regional import run_all
from nebula.analysis.regional_cases import LogisticModel
from nebula.analysis.regional_measured import LinearModel
from nebula.analysis.result import AnalysisResult
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table
    from nebula.analysis.parameters import Association


def run_association(analysis: str, parameters: LinearGwas | LogisticGwas, cohort: CohortInput) -> AnalysisResult:
    """Complete cases, relatives, then components, then one regression per variant that is common enough."""
    people = analysed_people(parameters, cohort)
    if not people.any():
        raise RejectedInputError("analysis.nobody", "nobody has the trait and every covariate")
    complete = int(people.sum())
    if parameters.relatives is Relatives.DROP:
        people = without_relatives(parameters, cohort, people)
    columns = cohort.phenotype_matrix([parameters.trait, *parameters.covariates])[people]
    matrix = cohort.matrix if people.all() else cohort.matrix.select_samples(people)
    chosen = CohortInput(matrix, cohort.sites, {})
    covariates = columns[:, 1:]
    if parameters.pcs:
        covariates = np.hstack([covariates, cohort_components(parameters, chosen)])
    associate = associate_measured if isinstance(parameters, LinearGwas) else associate_cases
    table, fitted = associate(parameters, cohort, people, columns[:, 0], covariates)
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=table,
        people=len(columns),
        smallest_group=smallest_group(columns),
        fitted=fitted,
        sites=len(cohort.sites),
        left_out=complete - len(columns),
    )


def associate_measured(
    parameters: Association,
    cohort: CohortInput,
    people: NDArray[np.bool_],
    trait: NDArray[np.float64],
    covariates: NDArray[np.float64],
) -> tuple[Table, int]:
    """Test a measured trait on every variant that is common enough.

    Args:
        parameters: which variants are tested.
        cohort: everybody.
        people: who is analysed, shape (samples,).
        trait: of those.
        covariates: of those, shape (people, k).

    Returns:
        The table, and how many columns were projected out.
    """
    model = LinearModel.fit(parameters, people, trait, covariates)
    return run_all(model, cohort), model.basis.shape[1]


def associate_cases(
    parameters: Association,
    cohort: CohortInput,
    people: NDArray[np.bool_],
    trait: NDArray[np.float64],
    covariates: NDArray[np.float64],
) -> tuple[Table, int]:
    """Test cases against controls, as ``associate_measured``."""
    model = LogisticModel.fit(parameters, people, trait, covariates)
    return run_all(model, cohort), len(model.null.design)
