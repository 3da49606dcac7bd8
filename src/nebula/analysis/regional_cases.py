"""Cases against controls in one region, once the null model of everybody is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis import logistic
from nebula.analysis.frequency import minor_copies
from nebula.analysis.people import as_cases
from nebula.analysis.regional import estimates_table, select_analysed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Sites, Table
    from nebula.analysis.parameters import Association
    from nebula.genome.matrix import PackedMatrix

_TESTS = np.array(["", "SCORE", "WALD", "FIRTH"], dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class LogisticModel:
    """A logistic GWAS, ready for any region: called with a region's genotypes, it gives that part of the table.

    Attributes:
        parameters: of the study.
        people: who is analysed, shape (samples,).
        null: cases on the covariates of those, components included.
    """

    parameters: Association
    people: NDArray[np.bool_]
    null: logistic.NullModel

    @classmethod
    def fit(
        cls,
        parameters: Association,
        people: NDArray[np.bool_],
        trait: NDArray[np.float64],
        covariates: NDArray[np.float64],
    ) -> LogisticModel:
        """Fit the null model; the trait, of two values, and covariates are of the people analysed only."""
        return cls(parameters, people, logistic.NullModel.fit(as_cases(trait), covariates))

    def __call__(self, matrix: PackedMatrix, sites: Sites) -> Table:
        """Test the region's variants that are common enough and called well enough."""
        chosen, tested = select_analysed(self.parameters, self.people, matrix)
        if not tested.all():
            chosen, sites = chosen.select_variants(tested), sites.select(tested)
        return _case_table(sites, logistic.associate_with_null(chosen, self.null))


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
    return estimates_table(sites, estimated, columns)
