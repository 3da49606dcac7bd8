"""Draw a result: Manhattan and QQ plots beside its tables."""

from pathlib import Path

from nebula.analysis.report import parse_tsv
from nebula.portal import charts
from nebula.protocol.receipt import Receipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.study import ResultClass


def draw(bundle: ResultBundle, receipt: Receipt, folder: Path, *, title: str) -> dict[str, Path]:
    """Draw what an association study found, as PNG and SVG; returns what went where."""
    files = bundle.files
    if "associations.tsv" not in files:
        return {}
    table, quantiles = parse_tsv(files["associations.tsv"]), parse_tsv(files["qq.tsv"])
    caption = charts.Caption(
        title=title,
        people=receipt.record_count,
        lambda_gc=float(bundle.summary["lambda_gc"]),
        hits_only=bundle.result_class is ResultClass.HITS,
        simulated=receipt.simulated,
    )
    drawn = {"manhattan": charts.manhattan(table, caption), "qq": charts.qq(quantiles, caption)}
    written: dict[str, Path] = {}
    for name, chart in drawn.items():
        (folder / f"{name}.png").write_bytes(charts.to_png(chart))
        (folder / f"{name}.svg").write_text(charts.to_svg(chart), "utf-8")
        written |= {f"{name}_{kind}": folder / f"{name}.{kind}" for kind in ("png", "svg")}
    return written
