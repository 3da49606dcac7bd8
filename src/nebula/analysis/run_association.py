"""``gwas-linear`` and ``gwas-logistic``: one regression for each common variant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis import logistic
from nebula.analysis.frequency import minor_copies
from nebula.analysis.inputs import CohortInput
from nebula.analysis.parameter_types import Relatives
from nebula.analysis.parameters import LinearGwas, LogisticGwas
from nebula.analysis.people import (
    analysed_people,
    as_cases,
    cohort_components,
    common_variants,
    smallest_group,
    without_relatives,
)
from nebula.analysis.regional import LinearModel, run_all
from nebula.analysis.result import AnalysisResult
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Sites, Table
    from nebula.analysis.parameters import Association


def run_association(analysis: str, parameters: LinearGwas | LogisticGwas, cohort: CohortInput) -> AnalysisResult:
    """Complete cases, relatives, then components, then one regression per variant that is common enough."""
    cases = analysed_people(parameters, cohort)
    if not cases.any():
        raise RejectedInputError("analysis.nobody", "nobody has the trait and every covariate")
    complete = int(cases.sum())
    if parameters.relatives is Relatives.DROP:
        cases = without_relatives(parameters, cohort, cases)
    columns = cohort.phenotype_matrix([parameters.trait, *parameters.covariates])[cases]
    matrix = cohort.matrix if cases.all() else cohort.matrix.select_samples(cases)
    chosen = CohortInput(matrix, cohort.sites, {})
    covariates = columns[:, 1:]
    if parameters.pcs:
        covariates = np.hstack([covariates, cohort_components(parameters, chosen)])
    associate = associate_measured if isinstance(parameters, LinearGwas) else associate_cases
    table, fitted = associate(parameters, cohort, cases, columns[:, 0], covariates)
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
    matrix = cohort.matrix if people.all() else cohort.matrix.select_samples(people)
    chosen = CohortInput(matrix, cohort.sites, {})
    tested = common_variants(chosen, parameters.minimum_maf, parameters.maximum_missing)
    found = logistic.associate_cases(matrix.select_variants(tested), as_cases(trait), covariates)
    return _case_table(cohort.sites.select(tested), found), found.covariates


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
