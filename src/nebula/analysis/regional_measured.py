"""A measured trait in one region, once what the covariates leave of it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis import linear
from nebula.analysis.regional import estimates_table, select_analysed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.frequency import GenotypeCounts
    from nebula.analysis.inputs import Sites, Table
    from nebula.analysis.parameters import Association
    from nebula.genome.matrix import PackedMatrix

WORTH_COPYING = 0.5
"""Where fewer than this share of the variants are tested, they are copied apart; to scan a few more costs less."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """A linear GWAS, ready for any region: called with a region's genotypes, it gives that part of the table.

    Attributes:
        parameters: of the study.
        people: who is analysed, shape (samples,).
        basis: orthonormal covariates of those, components included, shape (people, rank).
        residual: what the covariates leave of the trait, shape (people, 1).
    """

    parameters: Association
    people: NDArray[np.bool_]
    basis: NDArray[np.float64]
    residual: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        parameters: Association,
        people: NDArray[np.bool_],
        trait: NDArray[np.float64],
        covariates: NDArray[np.float64],
    ) -> LinearModel:
        """Project the covariates out of the trait; both are of the people analysed only."""
        basis = linear.covariate_basis(covariates, len(trait))
        return cls(parameters, people, basis, linear.trait_residual(trait, basis)[:, None])

    def __call__(self, matrix: PackedMatrix, sites: Sites) -> Table:
        """Test the region's variants that are common enough and called well enough."""
        chosen, counts, tested = select_analysed(self.parameters, self.people, matrix, sites)
        if np.count_nonzero(tested) < WORTH_COPYING * len(tested):
            chosen, sites = chosen.select_variants(tested), sites.select(tested)
            counts, tested = counts.select(tested), tested[tested]
        (found,) = linear.associate_residuals(chosen, self.basis, self.residual)
        return _measured_table(sites, tested, counts, found)


def _measured_table(
    sites: Sites, tested: NDArray[np.bool_], counts: GenotypeCounts, found: linear.Associations
) -> Table:
    estimated = tested & (found.no_estimate == linear.NoEstimate.NONE)
    columns: dict[str, NDArray[Any]] = {
        "beta": found.beta,
        "standard_error": found.standard_error,
        "effect_allele_frequency": counts.frequency,
        "neg_log_10_p_value": found.neg_log10_p,
        "n": found.observed,
        "fewest": counts.fewest,
    }
    return estimates_table(sites, estimated, columns)
