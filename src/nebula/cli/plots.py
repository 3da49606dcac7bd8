"""Draw a result: what an analyst would look at first, beside its tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import altair as alt

from nebula.analysis.inputs import Table
from nebula.analysis.report import lambda_gc, parse_tsv
from nebula.portal import charts, study_charts
from nebula.portal.labels import shortened
from nebula.portal.manhattan import manhattan
from nebula.portal.squares import squares
from nebula.protocol.receipt import Receipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.study import ResultClass

Drawn: TypeAlias = alt.Chart | alt.LayerChart
_BY_FILE = {
    "regions.tsv": ("regions", study_charts.regions),
    "score_distribution.tsv": ("score_distribution", study_charts.score_groups),
}


def draw(bundle: ResultBundle, receipt: Receipt, folder: Path, *, title: str) -> dict[str, Path]:
    """Draw what a study found, as PNG and SVG; returns what went where. Not every analysis has a chart."""
    tables = {name: parse_tsv(raw) for name, raw in bundle.files.items() if name.endswith(".tsv")}
    caption = charts.Caption(
        title=title,
        people=bundle.summary["sample_size"],
        lambda_gc=float(bundle.summary.get("lambda_gc", "nan")),
        assembly=bundle.summary.get("genome_assembly") or "GRCh38",
        hits_only=bundle.result_class is ResultClass.HITS,
        simulated=receipt.simulated,
    )
    if "associations.tsv" in tables:
        return _write(_associations(tables["associations.tsv"], tables["qq.tsv"], caption), folder)
    drawn: dict[str, Drawn] = {}
    for file, (name, chart) in _BY_FILE.items():
        drawn |= {name: chart(tables[file], caption)} if file in tables else {}
    if "phewas.tsv" in tables:
        drawn["phewas"] = study_charts.phewas(tables["phewas.tsv"], caption, predictor=_predictor(bundle.summary))
    return _write(drawn | _squares(tables, bundle.summary, caption), folder)


def draw_associations(table: Table, quantiles: Table, folder: Path, *, title: str, assembly: str) -> dict[str, Path]:
    """Draw associations that did not come from one study."""
    inflation = lambda_gc(charts.logarithms(table))
    caption = charts.Caption(title=title, lambda_gc=inflation, assembly=assembly)
    return _write(_associations(table, quantiles, caption), folder)


def _associations(table: Table, quantiles: Table, caption: charts.Caption) -> dict[str, alt.LayerChart]:
    return {"manhattan": manhattan(table, caption), "qq": charts.qq(quantiles, caption)}


def _predictor(summary: Mapping[str, Any]) -> str:
    """Name what traits were held against: a variant's alternate allele, or a score."""
    parameters = summary["parameters"]
    if "score" in parameters:
        return f"the score {parameters['score']}, for one standard deviation"
    name = shortened(parameters["variant"])
    return f"allele {shortened(parameters['variant'].rpartition(':')[2])} of {name}"


def _squares(tables: Mapping[str, Table], summary: Mapping[str, Any], caption: charts.Caption) -> dict[str, Drawn]:
    if "structure.tsv" in tables:
        step = summary["grid_step_standard_deviations"]
        return squares(tables["structure.tsv"], caption, step=step, unit="standard deviations")
    if "projection.tsv" in tables:
        step = summary["parameters"]["grid_step"]
        return squares(tables["projection.tsv"], caption, step=step, unit="the loadings' units")
    return {}


def _write(drawn: Mapping[str, Drawn], folder: Path) -> dict[str, Path]:
    written: dict[str, Path] = {}
    for name, chart in drawn.items():
        (folder / f"{name}.png").write_bytes(charts.to_png(chart))
        (folder / f"{name}.svg").write_text(charts.to_svg(chart), "utf-8")
        written |= {f"{name}_{kind}": folder / f"{name}.{kind}" for kind in ("png", "svg")}
    return written
