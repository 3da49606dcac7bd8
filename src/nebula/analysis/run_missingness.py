"""``missingness``: the share of genotypes that each variant lacks, and people by the share that they lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.inputs import CohortInput
from nebula.analysis.products import transposed_genotypes_times
from nebula.analysis.regional import within_regions
from nebula.analysis.result import AnalysisResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table
    from nebula.analysis.parameters import Missingness
    from nebula.genome.matrix import PackedMatrix

# Upper ends of the shares that people are counted by; fixed, so that no border tells of anyone.
SHARES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def run_missingness(analysis: str, parameters: Missingness, cohort: CohortInput) -> AnalysisResult:
    """One row for each variant; people as a distribution."""
    rows = within_regions(cohort.sites, parameters.regions)
    within = CohortInput(cohort.matrix.select_variants(rows), cohort.sites.select(rows), {})
    counts = GenotypeCounts.of(within.matrix)
    table = within.sites.columns() | {"missing": counts.counts[:, 3], "missing_share": counts.missing_share}
    people = cohort.matrix.samples
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=table,
        people=people,
        smallest_group=people,
        fitted=0,
        sites=len(cohort.sites),
        more={"missing_people.tsv": people_by_share(missing_of_people(within.matrix), within.matrix.variants)},
    )


def missing_of_people(matrix: PackedMatrix) -> NDArray[np.int64]:
    """Count the genotypes that each person lacks, shape (samples,)."""
    lines = np.tile([0.0, 0.0, 1.0], (matrix.variants, 1))
    found = transposed_genotypes_times(matrix, lines, np.ones((matrix.variants, 1)))
    return np.rint(found[:, 0]).astype(np.int64)


def people_by_share(missing: NDArray[np.int64], variants: int) -> Table:
    """Count people by the share that they lack: columns ``share_at_most`` and ``people``; shares ascend."""
    shares = missing / max(variants, 1)
    bins = np.searchsorted(SHARES, shares, "left")
    people = np.bincount(bins, minlength=len(SHARES))
    return {"share_at_most": np.array(SHARES), "people": people.astype(np.int64)}
