"""A Manhattan plot: -log10 p along the whole genome, and the name of the strongest hit of each locus."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from nebula.disclosure.floors import HIT_P
from nebula.portal.charts import HEIGHT, HIT_COLOUR, SHADES, WIDTH, Caption, logarithms, rule, styled, thinned
from nebula.portal.genome_axis import GenomeAxis
from nebula.portal.labels import FONT_SIZE, Label, place_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

POINT_SIZE, HIT_SIZE = 12, 40
# Hits so near to a stronger one are of its locus.
LOCUS_BP = 500_000
# With more names a plot is no longer read.
MOST_NAMES = 30
# How far the axis goes beyond the strongest: the least at which every locus has its name.
_HEADROOMS = (1.12, 1.3, 1.6)


@dataclass(frozen=True, slots=True, eq=False)
class _Plot:
    """What is drawn where.

    Attributes:
        axis: the chromosomes.
        places: on the axis, shape (variants,).
        logs: -log10 p, shape (variants,).
        limit: what is above is a hit.
        top: where the upright axis ends.
    """

    axis: GenomeAxis
    places: NDArray[np.float64]
    logs: NDArray[np.float64]
    limit: float
    top: float

    def pixels(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where some variants are drawn, shape (rows, 2), from the upper left corner."""
        x = self.places[rows] / self.axis.end * WIDTH
        return np.column_stack([x, (1 - self.logs[rows] / self.top) * HEIGHT])

    def unit(self, x: float, y: float) -> dict[str, float]:
        """Return a pixel in the units of the axes."""
        return {"x": x / WIDTH * self.axis.end, "y": (1 - y / HEIGHT) * self.top}


def manhattan(
    table: Table,
    caption: Caption | None = None,
    *,
    hit_p: float = HIT_P,
    locus_bp: int = LOCUS_BP,
    test: str = "",
) -> alt.LayerChart:
    """Draw -log10 p along the whole genome, hits in a colour, and the strongest of each locus by name.

    Args:
        table: columns of an association result (``report.parse_tsv`` reads them from a file): chromosome,
            base_pair_location, p_value or neg_log_10_p_value, and variant_id if there is one. May be empty.
        caption: what stands above it; it says so where not every locus has a name.
        hit_p: what is smaller is a hit.
        locus_bp: hits at most so far from a stronger one have no name of their own.
        test: whose p it is, where the table has several.
    """
    caption = caption or Caption()
    logs = logarithms(table)
    axis = GenomeAxis.of(table["chromosome"], caption.assembly)
    places = axis.places(table["chromosome"], table["base_pair_location"])
    plot = _Plot(axis, places, logs, float(-np.log10(hit_p)), 0.0)
    rows = thinned(places, logs, width=WIDTH, height=HEIGHT)
    leads = lead_variants(table, logs, limit=plot.limit, locus_bp=locus_bp) if "variant_id" in table else []
    plot, labels = _with_names(plot, table, leads[:MOST_NAMES], rows)
    layers = rule(plot.limit, f"p = {hit_p:g}") + _points(plot, table, rows, f"-log10 p{f' ({test})' * bool(test)}")
    layers += _names(plot, labels)
    if not len(rows):
        layers += _nothing(plot, f"no variant beyond p = {hit_p:g}")
    unnamed = [f"{len(labels)} of {len(leads):,} loci are named, the strongest first"] * (len(labels) < len(leads))
    title = caption.to_title(*unnamed)
    chart: alt.LayerChart = layers.properties(width=WIDTH, height=HEIGHT, title=title)
    return styled(chart)


def lead_variants(table: Table, logs: NDArray[np.float64], *, limit: float, locus_bp: int) -> list[int]:
    """Return the strongest hit of each locus, the strongest first; a locus is what lies near its strongest hit."""
    left = np.flatnonzero(logs > limit)
    left = left[np.argsort(-logs[left], kind="stable")]
    chromosome, position = table["chromosome"], table["base_pair_location"]
    leads: list[int] = []
    while len(left):
        lead = int(left[0])
        leads.append(lead)
        near = (chromosome[left] == chromosome[lead]) & (np.abs(position[left] - position[lead]) <= locus_bp)
        near[0] = True
        left = left[~near]
    return leads


def _with_names(
    plot: _Plot, table: Table, leads: Sequence[int], drawn: NDArray[np.int64]
) -> tuple[_Plot, Sequence[Label]]:
    """Raise the upright axis until there is room for every name, as far as that goes."""
    highest = max(float(plot.logs.max(initial=0.0)), plot.limit)
    tried: list[tuple[_Plot, list[Label]]] = []
    chosen = np.array(leads, dtype=np.int64)
    names = [str(table["variant_id"][row]).replace("_", ":") for row in leads]
    hits = drawn[plot.logs[drawn] > plot.limit]
    for headroom in _HEADROOMS:
        higher = replace(plot, top=highest * headroom)
        line = (1 - plot.limit / higher.top) * HEIGHT
        labels = place_labels(
            higher.pixels(chosen), names, width=WIDTH, height=line - 1, others=higher.pixels(np.setdiff1d(hits, chosen))
        )
        tried.append((higher, labels))
        if len(labels) == len(leads):
            break
    return max(tried, key=lambda one: len(one[1]))


def _points(plot: _Plot, table: Table, rows: NDArray[np.int64], title: str) -> alt.Chart:
    x = alt.X(
        "x:Q",
        title="chromosome",
        axis=alt.Axis(values=list(plot.axis.middles), labelExpr=plot.axis.label_expression(), ticks=False, grid=False),
        scale=alt.Scale(domain=[0, plot.axis.end], nice=False),
    )
    values = [
        {"x": float(plot.places[row]), "y": float(plot.logs[row]), "kind": _kind(plot, table["chromosome"], row)}
        for row in rows
    ]
    kinds = ["odd", "even", "hit"]
    points: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_circle(opacity=0.9)
        .encode(
            x=x,
            y=alt.Y("y:Q", title=title, scale=alt.Scale(domain=[0, plot.top], nice=False)),
            color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[*SHADES, HIT_COLOUR]), legend=None),
            size=alt.Size("kind:N", scale=alt.Scale(domain=kinds, range=[POINT_SIZE] * 2 + [HIT_SIZE]), legend=None),
        )
    )
    return points


def _names(plot: _Plot, labels: Sequence[Label]) -> alt.LayerChart:
    """Names in the middle of their boxes, and leaders."""
    texts = [
        plot.unit((label.box.left + label.box.right) / 2, (label.box.top + label.box.bottom) / 2) | {"name": label.name}
        for label in labels
    ]
    leaders = [
        plot.unit(*line[0].tolist()) | {f"{name}2": value for name, value in plot.unit(*line[1].tolist()).items()}
        for line in (label.leader for label in labels)
        if line is not None
    ]
    lines = (
        alt.Chart(alt.InlineData(values=leaders))
        .mark_rule(color="#999999", strokeWidth=0.7)
        .encode(x="x:Q", y="y:Q", x2="x2:Q", y2="y2:Q")
    )
    names = (
        alt.Chart(alt.InlineData(values=texts))
        .mark_text(baseline="middle", fontSize=FONT_SIZE, color="#333333")
        .encode(x="x:Q", y="y:Q", text="name:N")
    )
    both: alt.LayerChart = lines + names
    return both


def _nothing(plot: _Plot, remark: str) -> alt.Chart:
    where = {"x": plot.axis.end / 2, "y": plot.top * 0.55, "remark": remark}
    text = alt.Chart(alt.InlineData(values=[where])).mark_text(fontSize=12, color="#333333")
    encoded: alt.Chart = text.encode(x="x:Q", y="y:Q", text="remark:N")
    return encoded


def _kind(plot: _Plot, chromosomes: NDArray[Any], row: int) -> str:
    if plot.logs[row] > plot.limit:
        return "hit"
    return "odd" if int(chromosomes[row]) % 2 else "even"
