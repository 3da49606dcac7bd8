"""What of a polygenic score may leave: groups of people, never one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure import floors as limits
from nebula.disclosure.cuts import P_DECIMALS
from nebula.disclosure.released import Cut
from nebula.disclosure.suppression import round_significant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from nebula.analysis.inputs import Table
    from nebula.analysis.result import AnalysisResult
    from nebula.disclosure.released import ReleaseTerms

SCORE_DIGITS = 4
# Areas under curves and shares of variance.
SHARE_DECIMALS = 3


def cut_score(result: AnalysisResult, _: ReleaseTerms) -> Cut:
    """Groups of enough people each; mean, spread and effects with four digits."""
    groups = join_small_groups(result.table)
    groups = groups | {"mean_score": round_significant(groups["mean_score"], SCORE_DIGITS)}
    more = {name: round_effects(table) for name, table in result.more.items()}
    return Cut("score_distribution.tsv", groups, more=more, found=_rounded(result.summary))


def join_small_groups(table: Table) -> Table:
    """Join groups with fewer people than a cell may have to the next one up, the last of them to the one below."""
    people, means = table["people"].tolist(), table["mean_score"].tolist()
    joined: list[tuple[int, float]] = []
    waiting, total = 0, 0.0
    for count, mean in zip(people, means, strict=True):
        waiting, total = waiting + count, total + count * mean
        if waiting >= limits.MINIMUM_CELL:
            joined.append((waiting, total))
            waiting, total = 0, 0.0
    if waiting:
        count, before = joined.pop() if joined else (0, 0.0)
        joined.append((count + waiting, before + total))
    counts = np.array([count for count, _ in joined], dtype=np.int64)
    return {
        "group": np.arange(1, len(joined) + 1),
        "people": counts,
        "mean_score": np.array([sum_ for _, sum_ in joined]) / counts,
    }


def round_effects(table: Table) -> Table:
    """Round a table of effects to what may be told of them."""
    rounded = dict(table)
    for name in ("beta", "beta_per_standard_deviation", "standard_error"):
        if name in rounded:
            rounded[name] = round_significant(rounded[name], SCORE_DIGITS)
    for name, decimals in (
        ("neg_log_10_p_value", P_DECIMALS),
        ("explained_variance", SHARE_DECIMALS),
        ("auc", SHARE_DECIMALS),
    ):
        if name in rounded:
            rounded[name] = np.round(rounded[name], decimals)
    return rounded


def _rounded(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that depend on people, with as many digits as their table's."""
    return {
        name: float(f"{value:.{SCORE_DIGITS - 1}e}") if isinstance(value, float) else value
        for name, value in summary.items()
    }
