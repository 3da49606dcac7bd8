"""``pca-projection``: people on a reference's components, as counts on a grid.

A person's place is the sum of loadings times genotypes, standardised by the reference's frequencies; a missing genotype
adds nothing. Projected people lie nearer to the centre than people like them in the reference do (shrinkage), the more
so the more variants there are for each person of the reference: squares of both must not be compared to the last digit.

Source: Dey and Lee, Journal of Multivariate Analysis 173 (2019), and Zhang, Dey, Lee, Bioinformatics 36 (2020), for the
shrinkage; the arithmetic is that of ``plink2 --score no-mean-imputation variance-standardize``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.leverage import largest_leverage
from nebula.analysis.products import transposed_genotypes_times
from nebula.analysis.result import AnalysisResult
from nebula.analysis.score_on_panel import matched_on_panel
from nebula.analysis.structure import people_on_squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import CohortInput
    from nebula.analysis.projection_parameters import Projection
    from nebula.analysis.score_match import MatchedScore
    from nebula.genome.matrix import PackedMatrix


def run_projection(analysis: str, parameters: Projection, cohort: CohortInput) -> AnalysisResult:
    """Project everybody, and count them on each pair of neighbouring components."""
    matched = matched_on_panel(parameters, cohort)
    components = project(cohort.matrix, matched, np.array(parameters.loadings)[matched.places])
    pairs = range(0, components.shape[1] - 1, 2)
    grids = [people_on_squares(components[:, first : first + 2] / parameters.grid_step, first + 1) for first in pairs]
    people = cohort.matrix.samples
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table={name: np.concatenate([grid[name] for grid in grids]) for name in grids[0]},
        people=people,
        smallest_group=people,
        fitted=0,
        sites=len(cohort.sites),
        summary={"variants_used": len(matched.rows), "reference": parameters.reference},
        leverage=max(largest_leverage(column) for column in components.T),
    )


def project(matrix: PackedMatrix, matched: MatchedScore, loadings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return people's components, shape (samples, k).

    Args:
        matrix: on the whole panel.
        matched: the loadings' variants; the weight of one copy is the effect allele's frequency in the reference.
        loadings: of the rows matched, shape (matched, k).
    """
    frequency = matched.weights[:, 1]
    spread = np.sqrt(2 * frequency * (1 - frequency))
    none = np.where(matched.effect_is_reference, 2 - 2 * frequency, -2 * frequency) / spread
    step = np.where(matched.effect_is_reference, -1, 1) / spread
    lines = np.column_stack([none, step, np.zeros(len(step))])
    return transposed_genotypes_times(matrix.select_variants(matched.rows), lines, loadings)
