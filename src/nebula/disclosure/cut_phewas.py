"""What of one predictor's associations with many traits may leave: traits with enough people in each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure import floors as limits
from nebula.disclosure.cut_score import round_effects
from nebula.disclosure.released import Cut
from nebula.disclosure.suppression import no_one_stands_out, select

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.result import AnalysisResult
    from nebula.disclosure.released import ReleaseTerms


def cut_phewas(result: AnalysisResult, _: ReleaseTerms) -> Cut:
    """Traits on which enough people decide; corrected for as many tests as are shown."""
    table = result.table
    visible = select(table, (table["fewest"] >= limits.MINIMUM_CELL) & no_one_stands_out(table))
    rounded = round_effects({name: column for name, column in visible.items() if name not in ("fewest", "leverage")})
    p = 10.0 ** -rounded["neg_log_10_p_value"]
    corrected = {"bonferroni_p_value": np.minimum(1.0, p * len(p)), "false_discovery_rate": false_discovery_rate(p)}
    return Cut("phewas.tsv", rounded | corrected, found={"traits_tested": len(p)})


def false_discovery_rate(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest false discovery rate at which each test is rejected (Benjamini and Hochberg, 1995)."""
    order = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    out = np.empty(len(p))
    out[order] = np.minimum.accumulate(np.minimum(1.0, p[order] * len(p) / ranks))
    return out
