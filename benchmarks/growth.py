"""How our time grows with people and with sites: a plot, and the exponent that fits it best.

    python benchmarks/growth.py

Two series, each from encrypted vectors to a matrix and from there to a GWAS table: people at a fixed number of
sites, sites at a fixed number of people. Processor time, the best of three rounds. An exponent of 1 is linear.
"""

import argparse

import altair as alt
import made_up
import numpy as np
import sealed
from measuring import RESULTS, own_time, write_results

from nebula.analysis.linear import associate
from nebula.genome.assembly import assemble

PEOPLE, SITES = (1000, 2000, 4000, 8000), (5000, 10_000, 20_000, 40_000)
FIXED_PEOPLE, FIXED_SITES = 2000, 10_000
STEPS = ("encrypted vectors to matrix", "matrix to GWAS table")


def measure(people: int, sites: int) -> tuple[float, float]:
    """Seconds of both steps on one cohort."""
    matrix, panel = made_up.genotypes(people, sites), sealed.panel_of(sites)
    rng = np.random.default_rng(2)
    trait, covariates = rng.standard_normal(people), rng.standard_normal((people, 10))
    records = sealed.seal_cohort(panel, matrix)
    opened = min(
        own_time(lambda: assemble(panel, sealed.open_vectors(panel, records), people=people)) for _ in range(3)
    )
    return opened, min(own_time(lambda: associate(matrix, trait, covariates, threads=1)) for _ in range(3))


def drawn(rows: list[dict[str, object]]) -> alt.FacetChart:
    """Seconds against people, and against sites."""
    chart: alt.FacetChart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("size:Q", title="number"),
            y=alt.Y("seconds:Q", title="seconds of processor time"),
            color=alt.Color("step:N", title=None, legend=alt.Legend(orient="top", labelLimit=300)),
        )
        .properties(width=320, height=260)
        .facet(column=alt.Column("against:N", title=None))
        .resolve_scale(x="independent", y="independent")
        .configure_axis(labelFlush=False)
    )
    return chart


def main() -> None:
    """Measure both series, draw them and write the report."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    rows: list[dict[str, object]] = []
    for against, sizes in (("people", PEOPLE), ("sites", SITES)):
        for size in sizes:
            seconds = measure(size, FIXED_SITES) if against == "people" else measure(FIXED_PEOPLE, size)
            for step, one in zip(STEPS, seconds, strict=True):
                rows.append({"against": against, "size": size, "step": step, "seconds": round(one, 4)})
                print(f"{size:>7,} {against:<7} {step:<28} {one:.3f} s", flush=True)
    exponents = {}
    for against in ("people", "sites"):
        for step in STEPS:
            chosen = [(row["size"], row["seconds"]) for row in rows if (row["against"], row["step"]) == (against, step)]
            size, seconds = np.log(np.array(chosen, dtype=float)).T
            exponents[f"{step}, against {against}"] = round(float(np.polyfit(size, seconds, 1)[0]), 2)
    print(exponents)
    chart = drawn(rows)
    RESULTS.mkdir(exist_ok=True)
    chart.save(str(RESULTS / "growth.svg"))
    chart.save(str(RESULTS.parent.parent / "docs" / "assets" / "growth.png"), scale_factor=2)
    write_results("growth", {"exponents": exponents, "rows": rows})


if __name__ == "__main__":
    main()
