"""An owner's report as one page that stands by itself: its plots are in it, it has no script, and it asks nobody.

A policy in the page forbids every browser to fetch anything for it.
"""

from collections.abc import Sequence
from html import escape

import altair as alt
import numpy as np

from nebula.genome.meanings import Meaning
from nebula.portal.charts import GROUP_COLOURS, HIT_COLOUR, SHADES, SQUARE, styled, thinned, to_svg
from nebula.vault.report import Drawn, OwnReport, Score
from nebula.vault.report_words import (
    STAR_HEADINGS,
    ancestry_words,
    cautions,
    finding_words,
    quality_words,
    score_words,
    star_rows,
)

_BINS = 40
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .3rem 1rem .3rem 0; vertical-align: top; }
.wide { overflow-x: auto; } h1, h3, p, td { overflow-wrap: break-word; } td { min-width: 4rem; }
th { font-weight: 600; } .unknown { color: #555; } svg { max-width: 100%; height: auto; }
aside { background: #fff6e5; border-left: 4px solid #d55e00; padding: .6rem 1rem; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(report: OwnReport, drawn: Drawn) -> str:
    """Return the page."""
    parts = [
        f"<h1>Your report: {escape(report.label)}</h1>",
        f"<aside>{''.join(f'<p>{escape(one)}</p>' for one in cautions(report))}</aside>",
        "<h2>Your record</h2>",
        _table((), list(quality_words(report.quality).items())),
        *_ancestry(report, drawn),
        *_scores(report, drawn),
        *_findings(report),
        *_star_alleles(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Your report: {escape(report.label)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{chr(10).join(parts)}\n</body></html>\n"
    )


def _ancestry(report: OwnReport, drawn: Drawn) -> list[str]:
    found = report.ancestry
    if found is None or drawn.neighbourhood is None:
        return []
    return ["<h2>Ancestry</h2>", f"<p>{escape(ancestry_words(found))}</p>", to_svg(_components(drawn))]


def _scores(report: OwnReport, drawn: Drawn) -> list[str]:
    parts = ["<h2>Scores</h2>"] if report.scores else []
    for score in report.scores:
        parts.append(f"<h3>{escape(score.name)}</h3><p>{escape(score_words(score))}</p>")
        if score.value is not None:
            parts.append(to_svg(_distribution(score, drawn)))
    return parts


def _findings(report: OwnReport) -> list[str]:
    if not report.findings:
        return []
    rows = [
        (one.meaning.gene, _variant(one.meaning), finding_words(one), one.meaning.kind, one.meaning.meaning)
        for one in report.findings
    ]
    headings = ("gene", "variant, and the allele meant", "you", "kind", "meaning")
    return ["<h2>What your tables say</h2>", _table(headings, rows)]


def _star_alleles(report: OwnReport) -> list[str]:
    if not report.star_alleles:
        return []
    return ["<h2>Star alleles</h2>", _table(STAR_HEADINGS, star_rows(report.star_alleles))]


def _variant(meaning: Meaning) -> str:
    place = f"{meaning.chromosome}:{meaning.pos} {meaning.reference}>{meaning.alternate}, {meaning.allele}"
    return f"{meaning.rsid} ({place})" if meaning.rsid else place


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th scope=col>{escape(one)}</th>" for one in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class=wide><table>{f'<tr>{top}</tr>' if headings else ''}{body}</table></div>"


def _components(drawn: Drawn) -> alt.LayerChart:
    """The reference's people by group, and the owner among them."""
    place = drawn.neighbourhood
    assert place is not None  # noqa: S101 - whoever calls has looked
    labels = np.array(drawn.groups)
    names = sorted(set(labels.tolist()))
    rows = []
    for name in names:
        mine = place.people[labels == name]
        kept = thinned(mine[:, 0], mine[:, 1], width=SQUARE, height=SQUARE)
        rows += [{"x": float(x), "y": float(y), "group": name} for x, y in mine[kept, :2]]
    colours = [GROUP_COLOURS[index % len(GROUP_COLOURS)] for index in range(len(names))]
    x, y = (alt.X("x:Q", title="component 1"), alt.Y("y:Q", title="component 2"))
    people = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_circle(size=22, opacity=0.5)
        .encode(x=x, y=y, color=alt.Color("group:N", title="group", scale=alt.Scale(domain=names, range=colours)))
    )
    you = alt.Chart(alt.InlineData(values=[{"x": float(place.person[0]), "y": float(place.person[1]), "name": "you"}]))
    cross = you.mark_point(shape="cross", size=220, filled=True, color="#000000").encode(x=x, y=y)
    name = you.mark_text(align="left", dx=9, dy=-10, fontSize=13, fontWeight="bold").encode(x=x, y=y, text="name:N")
    layers: alt.LayerChart = (people + cross + name).properties(width=1.4 * SQUARE, height=SQUARE)
    return styled(layers)


def _distribution(score: Score, drawn: Drawn) -> alt.LayerChart:
    """The reference's scores, and the owner's as a line."""
    standing = drawn.standings[score.file]
    counts, edges = np.histogram(standing.people, bins=_BINS)
    rows = [
        {"from": float(low), "to": float(high), "people": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(color=SHADES[1], stroke="white")
        .encode(
            x=alt.X("from:Q", title="score", scale=alt.Scale(zero=False)),
            x2="to:Q",
            y=alt.Y("people:Q", title="people of the reference", scale=alt.Scale(domainMin=0)),
            y2=alt.Y2Datum(0),
        )
    )
    you = alt.Chart(alt.InlineData(values=[{"x": standing.person, "name": "you"}]))
    # A thin line, and its name above the plot: no bar is hidden.
    line = you.mark_rule(color=HIT_COLOUR, size=1.5).encode(x="x:Q")
    name = you.mark_text(dy=-4, baseline="bottom", fontWeight="bold", color=HIT_COLOUR)
    layers: alt.LayerChart = (bars + line + name.encode(x="x:Q", y=alt.value(0), text="name:N")).properties(
        width=1.4 * SQUARE, height=0.6 * SQUARE
    )
    return styled(layers)
