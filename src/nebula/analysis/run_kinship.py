"""``kinship``: pairs by degree and families, as counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.kinship import DEGREES, RELATED, find_relatives
from nebula.analysis.people import common_variants
from nebula.analysis.result import AnalysisResult

if TYPE_CHECKING:
    from nebula.analysis.inputs import CohortInput, Table
    from nebula.analysis.parameters import KinshipCounts

KINSHIP_ROWS = (
    "pairs: one person twice, or twins",
    "pairs of the first degree",
    "pairs of the second degree",
    "pairs of the third degree",
    "families of two people or more, to the second degree",
    "people who would have to leave so that no two are related, to the second degree",
)


def run_kinship(analysis: str, parameters: KinshipCounts, cohort: CohortInput) -> AnalysisResult:
    """Pairs by degree, families by size. They are counts of pairs and of families."""
    common = common_variants(cohort, parameters.minimum_maf, parameters.maximum_missing, autosomal=True)
    found = find_relatives(cohort.matrix.select_variants(common), DEGREES[-1])
    near = found.at_least(RELATED)
    _, sizes = np.unique(near.families(), return_counts=True)
    table: Table = {
        "relation": np.array(KINSHIP_ROWS, dtype=object),
        "count": np.array([*found.degrees(), (sizes > 1).sum(), (~near.unrelated()).sum()], dtype=np.int64),
    }
    people = cohort.matrix.samples
    return AnalysisResult(analysis, parameters, table, people, people, 0, len(cohort.sites))
