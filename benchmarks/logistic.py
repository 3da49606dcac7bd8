"""Logistic association, exact estimates included: ours beside ``plink2 --glm firth-fallback``.

    python benchmarks/logistic.py [--people 10000] [--variants 4000] [--covariates 11] [--missing 0]

Both run on one thread; processor time, medians of rounds in which they take turns. plink2's time holds its start and
its reading of a local file.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from made_up import genotypes, write_plink
from measuring import command_time, own_time, row, take_turns, tool_version, write_results
from scipy import special

from nebula.analysis.logistic import Method, associate_cases

BAR = 5


def main() -> None:
    """Time both and say how much they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=4_000)
    parser.add_argument("--covariates", type=int, default=11)
    parser.add_argument("--missing", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    rng = np.random.default_rng(2)
    matrix = genotypes(chosen.people, chosen.variants, least=0.01, missing=chosen.missing)
    covariates = rng.standard_normal((chosen.people, chosen.covariates))
    driven = matrix.dosage(slice(0, 20)).clip(0).sum(axis=0)
    odds = covariates[:, 0] / 2 + (driven - driven.mean()) / 6
    case = (rng.random(chosen.people) < special.expit(odds - 0.5)).astype(float)
    columns = {"trait": 1 + case} | {f"c{index}": column for index, column in enumerate(covariates.T)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plink(folder, matrix, columns)
        command = (
            "plink2 --pfile in --glm hide-covar omit-ref firth-fallback --pheno pheno.tsv --pheno-name trait "
            f"--covar pheno.tsv --covar-name c0-c{chosen.covariates - 1} --threads 1 --out out"
        ).split()
        figures = take_turns(
            chosen.rounds,
            {
                "nebula": lambda: own_time(lambda: associate_cases(matrix, case, covariates, threads=1)),
                "plink2 --glm": lambda: command_time(command, folder),
            },
        )
    found = associate_cases(matrix, case, covariates, threads=1)
    kind = f", {chosen.missing:.0%} missing" if chosen.missing else ""
    title = f"logistic{kind}, N = {chosen.people:,} x {chosen.variants:,}"
    content = {
        "peer": tool_version("plink2", "--version"),
        "people": chosen.people,
        "variants": chosen.variants,
        "covariates": chosen.covariates,
        "missing": chosen.missing,
        "fitted_exactly": int((found.method >= Method.WALD).sum()),
        "figures": figures,
        "rows": [row(title, figures["nebula"].median, figures["plink2 --glm"].median, BAR)],
    }
    write_results("logistic-missing" if chosen.missing else "logistic", content)


if __name__ == "__main__":
    main()
