"""Linear association: our kernel beside plink2 on the same genotypes, trait and covariates, one thread each.

    python benchmarks/linear.py [--people 10000] [--variants 20000] [--columns 11] [--rounds 5]

A trait and ten covariates make eleven columns. Three cohorts: common variants (5 % and more), all (the spectrum of
a population of constant size), and common ones with 1 % of the genotypes missing. plink2 reads its own .pgen and
writes no more than we compute; what it takes for one variant (its start, the sample files, the table of variants)
is taken off its time before the two are compared, and both are printed. Accuracy is over all variants of the run.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import made_up
import numpy as np
from measuring import Figure, command_time, own_time, row, take_turns, tool_version, write_results
from numpy.typing import NDArray

from nebula.analysis.linear import Associations, associate

GLM = "plink2 --pfile in --glm hide-covar omit-ref log10 cols=nobs,beta,se,p --pheno pheno.tsv --pheno-name trait"


@dataclass(frozen=True)
class Setting:
    """A cohort to be made up, and how many times as fast as plink2 we mean to be on it."""

    name: str
    least: float
    missing: float
    bar: float


SETTINGS = (
    Setting("common", made_up.COMMON, 0.0, 8),
    Setting("all", 0.0, 0.0, 4),
    Setting("missing", made_up.COMMON, 0.01, 15),
)


def compare(folder: Path, found: Associations) -> dict[str, float]:
    """How far we and plink2 lie apart at most: slopes in standard errors, p in powers of ten."""
    lines = [line.split("\t") for line in (folder / "out.trait.glm.linear").read_text().splitlines()]
    place = {name: index for index, name in enumerate(lines[0])}

    def column(name: str) -> NDArray[np.float64]:
        return np.array([float(line[place[name]].replace("NA", "nan")) for line in lines[1:]])

    beta, error = column("BETA"), column("SE")
    both = ~np.isnan(beta) & ~np.isnan(found.beta)
    apart = {
        "beta_in_standard_errors": float((np.abs(found.beta - beta) / error)[both].max()),
        "log10_p": float(np.abs(found.neg_log10_p - column("LOG10_P"))[both].max()),
        "estimated_by_one_only": int((np.isnan(beta) != np.isnan(found.beta)).sum()),
    }
    print("  furthest apart: " + ", ".join(f"{name} {value:.2g}" for name, value in apart.items()))
    return apart


def measure(setting: Setting, people: int, variants: int, columns: int, rounds: int) -> dict[str, object]:
    """Time both on one cohort."""
    print(f"{setting.name}: {people:,} people x {variants:,} variants, {columns} columns")
    matrix = made_up.genotypes(people, variants, least=setting.least, missing=setting.missing)
    rng = np.random.default_rng(2)
    covariates = rng.standard_normal((people, columns - 1))
    trait = rng.standard_normal(people) + covariates[:, 0] + matrix.dosage(slice(0, 5)).clip(0).sum(axis=0) / 4
    named = {f"c{index}": column for index, column in enumerate(covariates.T)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made_up.write_plink(folder, matrix, {"trait": trait} | named)
        covar = f" --covar pheno.tsv --covar-name {','.join(named)}" if named else " allow-no-covars"
        command = f"{GLM}{covar} --threads 1 --out"
        found = take_turns(
            rounds,
            {
                "nebula": lambda: own_time(lambda: associate(matrix, trait, covariates, threads=1)),
                "plink2": lambda: command_time([*command.split(), "out"], folder),
                "plink2 on one variant": lambda: command_time([*command.split(), "null", "--snp", "v0"], folder),
            },
        )
        apart = compare(folder, associate(matrix, trait, covariates, threads=1))
    peer = found["plink2"].median - found["plink2 on one variant"].median
    each: dict[str, Figure | float] = {name: 1e6 * one.median / variants for name, one in found.items()}
    return row(f"linear, {setting.name}", found["nebula"].median, peer, setting.bar) | {
        "ratio_with_its_start_and_reading": round(found["plink2"].median / found["nebula"].median, 2),
        "microseconds_per_variant": {name: round(float(value), 2) for name, value in each.items()},
        "furthest_apart": apart,
        "rounds": found,
    }


def main() -> None:
    """Measure every setting and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=11)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=[setting.name for setting in SETTINGS])
    chosen = parser.parse_args()
    rows = [
        measure(setting, chosen.people, chosen.variants, chosen.columns, chosen.rounds)
        for setting in SETTINGS
        if chosen.only in (None, setting.name)
    ]
    if chosen.only is None:
        shape = {"people": chosen.people, "variants": chosen.variants, "columns": chosen.columns}
        write_results("linear", {"peer": tool_version("plink2", "--version"), **shape, "rows": rows})


if __name__ == "__main__":
    main()
