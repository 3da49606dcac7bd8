"""Charts of results, as Vega-Altair specifications and as PNG or SVG. Nothing is fetched from anywhere.

Points are thinned here, before a chart is made: what falls into the same cell of a fine grid is drawn once,
so a chart has some thousand marks however many variants there are, and looks the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import altair as alt
import numpy as np
import vl_convert as vlc
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

WIDTH, HEIGHT = 900, 320
SQUARE = 360
# Two shades that alternate between chromosomes, and one for hits: apart for the colour-blind, and in grey too.
SHADES = ("#1f4e79", "#7fa6d1")
HIT_COLOUR = "#d55e00"
RULE_COLOUR = "#777777"
# Okabe and Ito's palette.
GROUP_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000")
# Cells of the thinning grid per pixel of the chart.
CELLS_PER_PIXEL = 1.5
Styled = TypeVar("Styled", alt.Chart, alt.LayerChart)


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands above a chart of associations.

    Attributes:
        title: the study's.
        people: how many the numbers are about; 0 where it is not known.
        lambda_gc: the genomic inflation factor; NaN where it is not known.
        assembly: which genome positions are on.
        hits_only: whether the result class leaves everything else out.
        simulated: whether the hardware was; the chart says so.
    """

    title: str = "Associations"
    people: int = 0
    lambda_gc: float = float("nan")
    assembly: str = "GRCh38"
    hits_only: bool = False
    simulated: bool = False

    def to_title(self, *more: str) -> alt.TitleParams:
        """Lay out title and subtitle; what else is to be said has lines of its own."""
        facts = [f"n = {self.people:,}"] * (self.people > 0)
        facts += [f"λ = {self.lambda_gc:.3f}"] * bool(np.isfinite(self.lambda_gc))
        facts.append(self.assembly)
        facts += ["only hits are published"] * self.hits_only
        facts += ["SIMULATED hardware"] * self.simulated
        return alt.TitleParams(text=self.title, subtitle=[" · ".join(facts), *more], subtitleColor="#555555")


def qq(quantiles: Table, caption: Caption | None = None) -> alt.LayerChart:
    """Draw a QQ curve (``expected``, ``observed``) on the diagonal of no association and its 95 % band."""
    caption = caption or Caption(title="Observed against expected")
    rows = [{"x": float(x), "y": float(y)} for x, y in zip(quantiles["expected"], quantiles["observed"], strict=True)]
    reach = float(quantiles["expected"].max(initial=1.0))
    low, high = expected_band(quantiles["expected"])
    edges = [
        {"x": float(x), "low": float(least), "high": float(most)}
        for x, least, most in zip(quantiles["expected"], low, high, strict=True)
    ]
    band = (
        alt.Chart(alt.InlineData(values=edges))
        .mark_area(color=RULE_COLOUR, opacity=0.25)
        .encode(x="x:Q", y="low:Q", y2="high:Q")
    )
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
    title = caption.to_title(*["grey: 95 % of independent tests without association"] * bool(rows))
    layers: alt.LayerChart = (band + diagonal + points).properties(width=SQUARE, height=SQUARE, title=title)
    return styled(layers)


def expected_band(expected: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between what -log10 p lies at each rank in 95 of 100 cases, rank by rank, where nothing is associated.

    The k-th smallest of n independent uniform p-values has the distribution Beta(k, n + 1 - k). Linked variants stray
    further.

    Args:
        expected: -log10(k / (n + 1)) as ``report.qq_quantiles`` has it, ascending up to the first rank's.

    Source: Casella and Berger, Statistical Inference, 2nd edition (2002), example 5.4.5.
    """
    whole = np.round(10.0 ** expected.max(initial=0.0))
    ranks = np.clip(np.round(whole * 10.0**-expected), 1, max(1.0, whole - 1))
    low, high = (special.betaincinv(ranks, whole - ranks, 0.5 + side * 0.475) for side in (1, -1))
    return -np.log10(low), -np.log10(high)


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
    return styled(chart)


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


def rule(height: float, remark: str) -> alt.LayerChart:
    """A line across the plot, and right of it, where no point is, what it stands for."""
    where = alt.Chart(alt.InlineData(values=[{"y": float(height), "remark": remark}]))
    line = where.mark_rule(color=RULE_COLOUR, strokeDash=[4, 4]).encode(y="y:Q")
    text = where.mark_text(align="left", baseline="middle", dx=5, fontSize=9, color=RULE_COLOUR)
    drawn: alt.LayerChart = line + text.encode(x=alt.value("width"), y="y:Q", text="remark:N")
    return drawn


def styled(chart: Styled) -> Styled:
    """Dress a chart as all of ours are."""
    plain = chart.configure_view(stroke=None).configure_title(anchor="start", fontSize=14, fontWeight="normal")
    plain = plain.configure_legend(titleFontWeight="normal")
    colours = {"gridColor": "#eeeeee", "domainColor": "#999999", "tickColor": "#999999"}
    # Each label stands at its tick, the first and the last too.
    styled: Styled = plain.configure_axis(labelFontSize=11, labelFlush=False, titleFontWeight="normal", **colours)
    return styled
