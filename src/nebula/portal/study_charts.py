"""Charts of what is no association with single variants: regions, many traits, groups by score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from nebula.disclosure.cut_regions import REGION_HIT_P
from nebula.portal.charts import (
    HEIGHT,
    HIT_COLOUR,
    SHADES,
    SQUARE,
    WIDTH,
    Caption,
    rule,
    styled,
)
from nebula.portal.manhattan import manhattan

if TYPE_CHECKING:
    from nebula.analysis.inputs import Table

# So wide is a trait on its axis, in pixels; a chart is never narrower than a square.
_TRAIT_WIDTH = 22
_LONGEST_TRAIT = 260
# Bonferroni's, over all traits shown.
PHEWAS_P = 0.05


def regions(table: Table, caption: Caption) -> alt.LayerChart:
    """Draw SKAT-O's -log10 p of each region at its middle, on the whole genome."""
    placed = {
        "chromosome": table["chromosome"],
        "base_pair_location": (table["start"] + table["end"]) / 2,
        "neg_log_10_p_value": table["neg_log_10_p_skat_o"],
        "variant_id": table["region"],
    }
    return manhattan(placed, caption, hit_p=REGION_HIT_P, locus_bp=0, test="SKAT-O")


def phewas(table: Table, caption: Caption, *, predictor: str) -> alt.LayerChart:
    """Draw -log10 p of each trait in the order asked for; triangles point the way of the effect.

    Args:
        table: columns of ``phewas.tsv``; may be empty.
        caption: what stands above.
        predictor: what raises or lowers the traits, such as ``allele G of 1:12345:A:G``.
    """
    logs = table["neg_log_10_p_value"]
    tests = max(1, len(logs))
    limit = float(np.log10(tests / PHEWAS_P))
    top = max(limit, float(logs.max(initial=0))) * 1.1
    rows = [
        {
            "trait": str(trait),
            "y": float(log),
            "effect": "raises" if beta > 0 else "lowers",
            "kind": "hit" if log > limit else "other",
        }
        for trait, log, beta in zip(table["trait"], logs, table["beta"], strict=True)
    ]
    points = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=alt.X("trait:N", sort=None, title=None, axis=alt.Axis(labelAngle=-60, labelLimit=_LONGEST_TRAIT)),
            # It begins below 0, so that the axis cuts no triangle.
            y=alt.Y("y:Q", title="-log10 p", scale=alt.Scale(domain=[-0.04 * top, top], nice=False)),
            shape=alt.Shape(
                "effect:N",
                title="effect:",
                # Above, for what the line stands for is on the right.
                legend=alt.Legend(orient="top", titleOrient="left"),
                scale=alt.Scale(domain=["raises", "lowers"], range=["triangle-up", "triangle-down"]),
            ),
            color=alt.Color(
                "kind:N", legend=None, scale=alt.Scale(domain=["other", "hit"], range=[SHADES[0], HIT_COLOUR])
            ),
        )
    )
    width = int(np.clip(_TRAIT_WIDTH * len(rows), SQUARE, WIDTH))
    remark = f"p = {PHEWAS_P:g} / {tests}"
    layers: alt.LayerChart = rule(limit, remark) + points
    title = caption.to_title(f"effects of {predictor}")
    return styled(layers.properties(width=width, height=HEIGHT, title=title))


def score_groups(table: Table, caption: Caption) -> alt.LayerChart:
    """Draw the mean score of each group over its place among all people: groups are as wide as they have people."""
    ends = np.cumsum(table["people"]) / table["people"].sum() * 100
    starts = np.concatenate([[0.0], ends[:-1]])
    rows = [
        {"from": float(start), "to": float(end), "y": float(mean)}
        for start, end, mean in zip(starts, ends, table["mean_score"], strict=True)
    ]
    low, high = float(table["mean_score"].min()), float(table["mean_score"].max())
    # Room for half of a bar's width, above and below.
    room = 0.05 * (high - low or 1.0)
    scale = alt.Scale(domain=[low - room, high + room], nice=False)
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rule(color=SHADES[0], strokeWidth=4)
        .encode(
            x=alt.X("from:Q", title="people, in per cent, by score", scale=alt.Scale(domain=[0, 100])),
            x2="to:Q",
            y=alt.Y("y:Q", title="mean score of the group", scale=scale),
        )
    )
    mean = float(np.average(table["mean_score"], weights=table["people"]))
    layers = rule(mean, "mean") + lines
    chart: alt.LayerChart = layers.properties(width=SQUARE, height=SQUARE, title=caption.to_title())
    return styled(chart)
