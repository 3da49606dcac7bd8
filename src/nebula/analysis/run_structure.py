"""``pca-structure``: how much components explain, and how many people lie where on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis import structure
from nebula.analysis.people import pruned_variants
from nebula.analysis.result import AnalysisResult

if TYPE_CHECKING:
    from nebula.analysis.inputs import CohortInput
    from nebula.analysis.parameters import PopulationStructure


def run_structure(analysis: str, parameters: PopulationStructure, cohort: CohortInput) -> AnalysisResult:
    """Where people lie on each pair of neighbouring components, on a grid that does not depend on them."""
    matrix = pruned_variants(parameters, cohort)
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
