"""A chart of how many people lie in which square of a grid over two components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from nebula.analysis.structure import SQUARES_EACH_WAY, share_in_outermost
from nebula.disclosure.floors import MINIMUM_CELL
from nebula.disclosure.grid_borders import MUCH_AT_BORDER
from nebula.portal.charts import SQUARE, Caption, styled

if TYPE_CHECKING:
    from nebula.analysis.inputs import Table


def squares(table: Table, caption: Caption, *, step: float, unit: str) -> dict[str, alt.Chart | alt.LayerChart]:
    """Draw each pair of components that there is, by a name such as ``components_1_2``.

    Args:
        table: columns of ``structure.tsv`` or ``projection.tsv``.
        caption: what stands above; it counts everybody, in squares shown or not.
        step: side of a square.
        unit: what ``step`` is measured in.
    """
    charts: dict[str, alt.Chart | alt.LayerChart] = {}
    for first in np.unique(table["component_x"]).astype(int).tolist():
        pair = {name: column[table["component_x"] == first] for name, column in table.items()}
        charts[f"components_{first}_{first + 1}"] = _pair(pair, caption, first, step=step, unit=unit)
    return charts


def _pair(table: Table, caption: Caption, first: int, *, step: float, unit: str) -> alt.Chart:
    rows = [
        {"x": x * step, "x2": (x + 1) * step, "y": y * step, "y2": (y + 1) * step, "people": int(people)}
        for x, y, people in zip(*(table[name].tolist() for name in ("square_x", "square_y", "people")), strict=True)
    ]
    # The whole grid, whoever is on it: a pile at its border, or in its middle, is then seen for what it is.
    domain = [-SQUARES_EACH_WAY * step, SQUARES_EACH_WAY * step]
    scale = alt.Scale(domain=domain, nice=False)
    most = max(10 * MINIMUM_CELL, *(row["people"] for row in rows)) if rows else 10 * MINIMUM_CELL
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("x:Q", title=f"component {first}, in {unit}", scale=scale),
            x2="x2:Q",
            y=alt.Y("y:Q", title=f"component {first + 1}, in {unit}", scale=scale),
            y2="y2:Q",
            color=alt.Color(
                "people:Q",
                title="people",
                scale=alt.Scale(type="log", domain=[MINIMUM_CELL, most], scheme="viridis", reverse=True),
                legend=alt.Legend(format=",d", gradientLength=SQUARE / 2),
            ),
        )
        .properties(width=SQUARE, height=SQUARE, title=caption.to_title(*_remarks(table, caption, step)))
    )
    return styled(chart)


def _remarks(table: Table, caption: Caption, step: float) -> list[str]:
    """Where people are who are not seen, or not seen where they are."""
    shown, share = int(table["people"].sum()), share_in_outermost(table)
    said = [
        f"squares of side {step:g}; those of few people are left out: {shown:,} of {caption.people:,} people are shown"
    ]
    if share > MUCH_AT_BORDER:
        said.append(f"{share:.0%} of them in the outermost squares, where everybody further out is put")
    return said
