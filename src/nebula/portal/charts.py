"""Charts of results, as Vega-Altair specifications and as PNG or SVG. Nothing is fetched from anywhere.

Points are thinned here, before a chart is made: what falls into the same cell of a fine grid is drawn once,
so a chart has some thousand marks however many variants there are, and looks the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import altair as alt
import numpy as np
import vl_convert as vlc

from nebula.disclosure.floors import HIT_P

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

WIDTH, HEIGHT = 900, 320
SQUARE = 360
# Two shades that alternate between chromosomes, and one for hits: apart for the colour-blind too.
SHADES = ("#31588a", "#8fb0d9")
HIT_COLOUR = "#d1495b"
RULE_COLOUR = "#777777"
# Okabe and Ito's palette.
GROUP_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000")
# Cells of the thinning grid per pixel of the chart.
CELLS_PER_PIXEL = 1.5
# Bases between chromosomes on the axis.
GAP_BP = 2e7
# Chromosomes narrower than this share of the axis go without a label.
LABELLED_SHARE = 0.012
Styled = TypeVar("Styled", alt.Chart, alt.LayerChart)
_NAMES = {23: "X", 24: "Y", 25: "MT"}


def manhattan(table: Table, *, title: str = "Associations") -> alt.LayerChart:
    """Draw -log10 p along the genome.

    Args:
        table: columns of an association result (``report.parse_tsv`` reads them from a file): chromosome,
            base_pair_location, and p_value or neg_log_10_p_value. May be empty.
        title: above the chart.
    """
    logs = logarithms(table)
    positions, ticks = _genome_axis(table["chromosome"], table["base_pair_location"])
    limit = -np.log10(HIT_P)
    kept = thinned(positions, logs, width=WIDTH, height=HEIGHT)
    rows = [
        {"x": float(positions[row]), "y": float(logs[row]), "kind": _kind(table["chromosome"][row], logs[row] > limit)}
        for row in kept
    ]
    top = max(float(logs.max(initial=0.0)), limit) * 1.06
    labels = " : ".join(f"datum.value == {place} ? '{name}'" for name, place in ticks.items())
    axis = alt.Axis(values=list(ticks.values()), labelExpr=f"{labels} : ''" if ticks else "''", ticks=False, grid=False)
    end = float(positions.max(initial=1.0))
    points = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(size=14, opacity=0.9)
        .encode(
            x=alt.X(
                "x:Q", axis=axis, title="chromosome", scale=alt.Scale(domain=[-0.01 * end, 1.01 * end], nice=False)
            ),
            y=alt.Y("y:Q", title="-log10 p", scale=alt.Scale(domain=[0, top], nice=False)),
            color=alt.Color(
                "kind:N", scale=alt.Scale(domain=["odd", "even", "hit"], range=[*SHADES, HIT_COLOUR]), legend=None
            ),
        )
    )
    layers: alt.LayerChart = (points + _rule(limit)).properties(
        width=WIDTH, height=HEIGHT, title=f"{title}; the dashed line is p = 5e-8"
    )
    return _styled(layers)


def qq(quantiles: Table, lambda_gc: float, *, title: str = "Observed against expected") -> alt.LayerChart:
    """Draw a QQ curve (``expected``, ``observed``) and say the inflation factor."""
    rows = [{"x": float(x), "y": float(y)} for x, y in zip(quantiles["expected"], quantiles["observed"], strict=True)]
    reach = float(quantiles["expected"].max(initial=1.0))
    diagonal = (
        alt.Chart(alt.InlineData(values=[{"x": 0.0, "y": 0.0}, {"x": reach, "y": reach}]))
        .mark_line(color=RULE_COLOUR, strokeDash=[4, 4])
        .encode(x="x:Q", y="y:Q")
    )
    points = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(size=28, color=SHADES[0], opacity=0.9)
        .encode(x=alt.X("x:Q", title="expected -log10 p"), y=alt.Y("y:Q", title="observed -log10 p"))
    )
    layers: alt.LayerChart = (diagonal + points).properties(
        width=SQUARE, height=SQUARE, title=f"{title}; λ = {lambda_gc:.3f}"
    )
    return _styled(layers)


def components(
    vectors: NDArray[np.float64], groups: Sequence[str], *, title: str = "Principal components"
) -> alt.Chart:
    """Draw people by their first two components, coloured by group.

    Only for cohorts that are public or made up: a component describes a person.

    Args:
        vectors: shape (samples, 2 or more).
        groups: one label per person.
        title: above the chart.
    """
    names = sorted(set(groups))
    labels = np.array(groups)
    rows = []
    # Thinned within each group, so that none hides another altogether.
    for name in names:
        mine = vectors[labels == name]
        kept = thinned(mine[:, 0], mine[:, 1], width=SQUARE, height=SQUARE)
        rows += [{"x": float(x), "y": float(y), "group": name} for x, y in mine[kept, :2]]
    colours = [GROUP_COLOURS[index % len(GROUP_COLOURS)] for index in range(len(names))]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(size=22, opacity=0.7)
        .encode(
            x=alt.X("x:Q", title="component 1"),
            y=alt.Y("y:Q", title="component 2"),
            color=alt.Color("group:N", title="group", scale=alt.Scale(domain=names, range=colours)),
        )
        .properties(width=SQUARE, height=SQUARE, title=title)
    )
    return _styled(chart)


def to_png(chart: alt.TopLevelMixin, *, scale: float = 2.0) -> bytes:
    """Render a chart to PNG, ``scale`` times its size in pixels."""
    return vlc.vegalite_to_png(chart.to_json(), scale=scale)


def to_svg(chart: alt.TopLevelMixin) -> str:
    """Render a chart to SVG."""
    return vlc.vegalite_to_svg(chart.to_json())


def logarithms(table: Table) -> NDArray[np.float64]:
    """Return -log10 p from whichever column the table has."""
    if "neg_log_10_p_value" in table:
        return np.asarray(table["neg_log_10_p_value"], dtype=np.float64)
    return np.asarray(-np.log10(np.maximum(table["p_value"], 1e-308)), dtype=np.float64)


def thinned(x: NDArray[Any], y: NDArray[np.float64], *, width: int, height: int) -> NDArray[np.int64]:
    """Choose one point for each cell of a grid somewhat finer than the pixels; ascending row numbers."""
    usable = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(usable):
        return usable
    columns, rows = (
        np.floor((part - part.min()) / (np.ptp(part) or 1.0) * size * CELLS_PER_PIXEL).astype(np.int64)
        for part, size in ((x[usable], width), (y[usable], height))
    )
    _, first = np.unique(columns * (int(rows.max()) + 1) + rows, return_index=True)
    return np.sort(usable[first])


def _genome_axis(chromosome: NDArray[Any], position: NDArray[Any]) -> tuple[NDArray[np.float64], dict[str, float]]:
    """Put chromosomes side by side; returns places, and where each one's label goes."""
    places = np.zeros(len(position))
    middles: dict[str, tuple[float, float]] = {}
    start = 0.0
    for number in np.unique(chromosome):
        mine = chromosome == number
        length = float(position[mine].max())
        places[mine] = start + position[mine]
        middles[_NAMES.get(int(number), str(int(number)))] = (start + length / 2, length)
        start += length + GAP_BP
    labelled = {name: middle for name, (middle, length) in middles.items() if length > LABELLED_SHARE * start}
    return places, labelled


def _kind(chromosome: float, is_hit: bool) -> str:
    return "hit" if is_hit else ("odd" if int(chromosome) % 2 else "even")


def _rule(height: float) -> alt.Chart:
    rule = alt.Chart(alt.InlineData(values=[{"y": float(height)}])).mark_rule(color=RULE_COLOUR, strokeDash=[4, 4])
    drawn: alt.Chart = rule.encode(y="y:Q")
    return drawn


def _styled(chart: Styled) -> Styled:
    plain = chart.configure_view(stroke=None).configure_title(anchor="start", fontSize=14, fontWeight="normal")
    colours = {"gridColor": "#eeeeee", "domainColor": "#999999", "tickColor": "#999999"}
    styled: Styled = plain.configure_axis(labelFontSize=11, titleFontWeight="normal", **colours)
    return styled
