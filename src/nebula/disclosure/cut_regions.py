"""What of tests of rare variants may leave: regions that enough people carry something in.

Which variants a region holds, and how often each is carried, never leaves; how many they are, and how many people carry
any, leave in tens, so that two studies whose regions differ in one variant do not simply count it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure import floors as limits
from nebula.disclosure.cuts import P_DECIMALS
from nebula.disclosure.released import Cut
from nebula.disclosure.suppression import no_one_stands_out, round_significant, select
from nebula.protocol.study import ResultClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.result import AnalysisResult
    from nebula.disclosure.released import ReleaseTerms

REGION_DIGITS = 4
# Twenty thousand genes at 0.05.
REGION_HIT_P = 2.5e-6
_TOLD_IN_TENS = ("variants", "carriers")


def cut_regions(result: AnalysisResult, terms: ReleaseTerms) -> Cut:
    """Regions with enough carriers, and enough others, on which no single person weighs too much."""
    table = result.table
    visible = select(table, (table["fewest"] >= limits.MINIMUM_CELL) & no_one_stands_out(table))
    rounded = {name: column for name, column in visible.items() if name not in ("fewest", "leverage")}
    rounded |= {name: _in_tens(rounded[name]) for name in _TOLD_IN_TENS}
    rounded |= {name: round_significant(rounded[name], REGION_DIGITS) for name in ("beta", "standard_error")}
    rounded |= {name: np.round(rounded[name], P_DECIMALS) for name in rounded if name.startswith("neg_log_10_p")}
    hits = rounded["neg_log_10_p_skat_o"] > -np.log10(REGION_HIT_P)
    shown = np.ones_like(hits) if terms.result_class is ResultClass.FULL else hits
    found = {
        "hits": int(hits.sum()),
        "regions_tested": len(hits),
        "rounded_down_to_tens": ", ".join(_TOLD_IN_TENS),
    }
    return Cut("regions.tsv", select(rounded, shown), found=found)


def _in_tens(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(counts // limits.MINIMUM_CELL * limits.MINIMUM_CELL)
