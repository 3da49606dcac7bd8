"""``allele-frequency``: counts of every variant, or of those in some regions, of everybody or by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.inputs import CohortInput
from nebula.analysis.people import DISCRETE_VALUES
from nebula.analysis.regional import FrequencyModel, counts_table, run_all, smallest_cells, within_regions
from nebula.analysis.result import AnalysisResult
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from nebula.analysis.parameters import AlleleFrequency


def run_frequency(analysis: str, parameters: AlleleFrequency, cohort: CohortInput) -> AnalysisResult:
    """One row for each variant, of everybody or of each group."""
    if parameters.groups is not None:
        return _run_by_group(analysis, parameters, cohort)
    rows = within_regions(cohort.sites, parameters.regions)
    within, women, sexes = cohort, None, cohort.matrix.samples
    if parameters.sex is not None:
        sex = cohort.phenotype_matrix([parameters.sex])[:, 0]
        known = np.isfinite(sex)
        within, women = cohort.select_people(known), sex[known] == parameters.women
        sexes = min(int(women.sum()), int((~women).sum()))
    if not rows.all():
        within = CohortInput(within.matrix.select_variants(rows), cohort.sites.select(rows), {})
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=run_all(FrequencyModel(parameters.mid_p, women, cohort.assembly), within),
        people=within.matrix.samples,
        smallest_group=sexes,
        fitted=0,
        sites=len(cohort.sites),
    )


def _run_by_group(analysis: str, parameters: AlleleFrequency, cohort: CohortInput) -> AnalysisResult:
    """One row for each variant and class.

    What is rarest in any class decides about a variant in all of them: the same buyer may see the whole cohort's
    counts, and take the classes that are shown from it.
    """
    column = cohort.phenotype_matrix([parameters.groups or ""])[:, 0]
    people = np.isfinite(column)
    classes, sizes = np.unique(column[people], return_counts=True)
    if not 2 <= len(classes) <= DISCRETE_VALUES:  # noqa: PLR2004
        raise RejectedInputError(
            "analysis.not-groups", f"a column of groups has 2 to {DISCRETE_VALUES} values, not {len(classes)}"
        )
    rows = within_regions(cohort.sites, parameters.regions)
    sites, matrix = cohort.sites.select(rows), cohort.matrix.select_variants(rows)
    parts = [GenotypeCounts.of(matrix.select_samples(people & (column == one)), sites.copies()) for one in classes]
    fewest = np.minimum.reduce([part.fewest for part in parts])
    cells = np.stack([part.counts[:, :3] for part in parts])
    smallest = smallest_cells(cells)
    tables = [
        counts_table(sites, part, mid_p=parameters.mid_p)
        | {
            "group": np.full(len(sites), one),
            "fewest": fewest,
            "smallest_cell": smallest,
        }
        for one, part in zip(classes, parts, strict=True)
    ]
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table={name: np.concatenate([table[name] for table in tables]) for name in tables[0]},
        people=int(people.sum()),
        smallest_group=int(sizes.min()),
        fitted=0,
        sites=len(cohort.sites),
    )
