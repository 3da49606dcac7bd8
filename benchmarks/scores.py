"""Scores, genotype counts and Hardy-Weinberg: ours beside plink2.

    python benchmarks/scores.py [--people 10000] [--variants 20000] [--scores 16]

Both run on one thread; processor time, medians of rounds in which they take turns. plink2's time holds its start and
its reading of a local file; ours begins with the packed matrix in memory, where it lies after assembly.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from made_up import genotypes, write_plink
from measuring import command_time, own_time, row, take_turns, tool_version, write_results

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.scores import score_people

BAR = 5


def main() -> None:
    """Time all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=20_000)
    parser.add_argument("--scores", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    matrix = genotypes(chosen.people, chosen.variants, least=0.01, missing=0.005)
    weights = np.random.default_rng(4).standard_normal((chosen.variants, chosen.scores))
    rows, all_figures = [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plink(folder, matrix, {"trait": np.zeros(chosen.people)})
        lines = (f"v{index}\tC\t" + "\t".join(f"{one:.9g}" for one in values) for index, values in enumerate(weights))
        (folder / "scores.tsv").write_text("\n".join(lines) + "\n")
        base = "plink2 --pfile in --threads 1 --out out".split()  # noqa: SIM905
        many = f"--score scores.tsv 1 2 --score-col-nums 3-{chosen.scores + 2}"
        one = "--score scores.tsv 1 2 --score-col-nums 3"
        for title, ours, arguments in (
            (f"{chosen.scores} scores", lambda: score_people(matrix, weights, threads=1), many),
            ("1 score", lambda: score_people(matrix, weights[:, :1], threads=1), one),
            ("allele counts", lambda: GenotypeCounts.of(matrix).frequency, "--freq"),
            ("Hardy-Weinberg", lambda: GenotypeCounts.of(matrix).hardy_weinberg(), "--hardy"),
        ):
            works = {
                "nebula": lambda work=ours: own_time(work),
                f"plink2 {arguments}": lambda more=arguments: command_time([*base, *more.split()], folder),
            }
            figures = take_turns(chosen.rounds, works)
            size = f"N = {chosen.people:,} x {chosen.variants:,}"
            rows.append(row(f"{title}, {size}", *(figure.median for figure in figures.values()), bar=BAR))
            all_figures[title] = figures
    write_results("scores", {"peer": tool_version("plink2", "--version"), "figures": all_figures, "rows": rows})


if __name__ == "__main__":
    main()
