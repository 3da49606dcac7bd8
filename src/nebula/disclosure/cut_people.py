"""What of counts of people by genotypes missing, or by place on a reference's components, may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure import floors as limits
from nebula.disclosure.cuts import FREQUENCY_DIGITS
from nebula.disclosure.grid_borders import told_of_borders
from nebula.disclosure.released import Cut
from nebula.disclosure.suppression import enough_people, mask_small

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table
    from nebula.analysis.result import AnalysisResult
    from nebula.disclosure.released import ReleaseTerms


def cut_missingness(result: AnalysisResult, _: ReleaseTerms) -> Cut:
    """Variants with few missing genotypes say only that; people are joined until there are enough in each row."""
    masked = mask_small(result.table, "missing")
    shares = np.where(masked["missing"] >= 0, np.round(masked["missing_share"], FREQUENCY_DIGITS), np.nan)
    more = {name: join_small_rows(table) for name, table in result.more.items()}
    return Cut("missingness.tsv", masked | {"missing_share": shares}, more=more)


def cut_projection(result: AnalysisResult, _: ReleaseTerms) -> Cut:
    """Squares with enough people, in tens: loadings are the buyer's, and could move a border past one person."""
    shown = enough_people(result.table)
    table = shown | {"people": _in_tens(shown["people"])}
    return Cut("projection.tsv", table, found=told_of_borders(table))


def join_small_rows(table: Table) -> Table:
    """Join rows of ascending shares until each has enough people; what is left of them joins the last."""
    shares: list[float] = []
    people: list[int] = []
    waiting = 0
    for share, count in zip(table["share_at_most"].tolist(), table["people"].tolist(), strict=True):
        waiting += count
        if waiting >= limits.MINIMUM_CELL:
            shares.append(share)
            people.append(waiting)
            waiting = 0
    if waiting and people:
        people[-1] += waiting
        shares[-1] = float(table["share_at_most"][-1])
    return {"share_at_most": np.array(shares), "people": np.array(people, dtype=np.int64)}


def _in_tens(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(counts // limits.MINIMUM_CELL * limits.MINIMUM_CELL)
