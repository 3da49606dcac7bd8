"""Draw a result: Manhattan and QQ plots beside its tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nebula.analysis.report import parse_tsv
from nebula.portal import charts


def draw(files: Mapping[str, bytes], summary: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Draw what an association study's files show, as PNG and SVG; returns what went where."""
    if "associations.tsv" not in files:
        return {}
    table, quantiles = parse_tsv(files["associations.tsv"]), parse_tsv(files["qq.tsv"])
    drawn = {"manhattan": charts.manhattan(table), "qq": charts.qq(quantiles, float(summary["lambda_gc"]))}
    written: dict[str, Path] = {}
    for name, chart in drawn.items():
        (folder / f"{name}.png").write_bytes(charts.to_png(chart))
        (folder / f"{name}.svg").write_text(charts.to_svg(chart), "utf-8")
        written |= {f"{name}.{kind}": folder / f"{name}.{kind}" for kind in ("png", "svg")}
    return written
