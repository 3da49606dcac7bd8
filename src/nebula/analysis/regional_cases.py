"""Cases against controls in one region, once the null model of everybody is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis import logistic
from nebula.analysis.frequency import GenotypeCounts
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
        chosen, counts, tested = select_analysed(self.parameters, self.people, matrix, sites)
        if not tested.all():
            chosen, sites, counts = chosen.select_variants(tested), sites.select(tested), counts.select(tested)
        case = self.null.case > 0
        groups = [GenotypeCounts.of(chosen.select_samples(group), counts.copies) for group in (case, ~case)]
        return _case_table(sites, counts, groups, logistic.associate_with_null(chosen, self.null))


def _case_table(
    sites: Sites,
    counts: GenotypeCounts,
    groups: list[GenotypeCounts],
    found: logistic.CaseControlAssociations,
) -> Table:
    """As for measurements, and cases and controls apart; floors decide on the group in which there are fewer."""
    estimated = found.no_fit == logistic.NoFit.NONE
    cases, controls = groups
    columns: dict[str, NDArray[Any]] = {
        "beta": found.beta,
        "standard_error": found.standard_error,
        "effect_allele_frequency": counts.frequency,
        "neg_log_10_p_value": found.neg_log10_p,
        "n": found.observed,
        "n_cases": cases.observed,
        "n_controls": controls.observed,
        "effect_allele_frequency_cases": cases.frequency,
        "effect_allele_frequency_controls": controls.frequency,
        "test": _TESTS[found.method],
        "fewest": np.minimum(cases.fewest, controls.fewest),
    }
    return estimates_table(sites, estimated, columns)
