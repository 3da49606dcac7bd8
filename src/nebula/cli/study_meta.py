"""``nebula study meta``: the associations of several runs as one, without any network."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from cyclopts import Parameter

from nebula.buyer.meta import CombinedRuns, combine_runs
from nebula.cli.console import counted, err, out, print_json, show_table
from nebula.cli.options import Json
from nebula.disclosure.floors import HIT_P


def meta(
    files: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)],
    *,
    to: Path = Path("meta"),
    build: Literal["GRCh37", "GRCh38"] | None = None,
    minimum_studies: int = 1,
    plots: bool = True,
    json: Json = False,
) -> None:
    """Combine the associations of several runs: fixed effects, heterogeneity, random effects. Nothing is sent anywhere.

    Args:
        files: tables in GWAS-SSF, such as the associations.tsv of two studies; the build is read beside each.
        to: the folder that meta.tsv, qq.tsv, metadata.yaml and the plots are written into.
        build: of tables with nothing beside them that says so.
        minimum_studies: leave out variants that fewer tables have.
        plots: whether to draw the Manhattan and QQ plots.
    """
    combined = combine_runs(files, build=build, minimum_studies=minimum_studies)
    written = combined.write(to)
    if plots:
        written |= _draw(combined, to)
    table = combined.found.table
    hits = int((table["neg_log_10_p_value"] > -np.log10(HIT_P)).sum())
    if json:
        rows = {str(file): counts for file, counts in zip(combined.files, combined.found.report, strict=True)}
        paths = {name: str(path) for name, path in written.items()}
        print_json({"variants": len(table["n"]), "hits": hits, "build": combined.build, "rows": rows, "files": paths})
        return
    for file in combined.hits_only:
        err.print(f"{file} holds hits alone: what passed a threshold is overestimated, and so will be the combination.")
    show_table(
        ("table", "as they are", "swapped", "other strand", "new", "ambiguous"),
        [
            (
                str(file),
                *(f"{counts[name]:,}" for name in ("matched", "swapped", "flipped", "first", "ambiguous")),
            )
            for file, counts in zip(combined.files, combined.found.report, strict=True)
        ],
        numbers=("as they are", "swapped", "other strand", "new", "ambiguous"),
    )
    out.print(f"{counted(len(table['n']), 'variant')} on {combined.build}, {hits:,} of them beyond {HIT_P:g}")
    for path in sorted(written.values()):
        out.print(f"  {path.name:<20} {path}")


def _draw(combined: CombinedRuns, folder: Path) -> dict[str, Path]:
    try:
        from nebula.cli.plots import draw_associations  # noqa: PLC0415 - needs an extra that not every buyer has
    except ModuleNotFoundError:
        err.print("No plots: they need the extra `nebula-network[demo]`.")
        return {}
    title = f"{len(combined.files)} runs together"
    return draw_associations(combined.found.table, combined.quantiles, folder, title=title, assembly=combined.build)
