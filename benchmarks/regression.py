"""Linear association: our kernel beside plink2 on the same genotypes, covariates and threads.

    python benchmarks/regression.py [--people 2504] [--variants 23770] [--covariates 11] [--missing 0.0]

The genotypes are made up with the frequency spectrum of common exome variants. Each is timed five times;
the best and the spread are printed. plink2's time holds its start and its reading of a local .bed file.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nebula.analysis.linear import associate
from nebula.genome.matrix import PackedMatrix

ROUNDS = 5


def timed(name: str, work: Callable[[], object]) -> float:
    """Print and return the best of some rounds."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    print(f"{name:<32}{min(seconds):8.3f} s   (slowest of {ROUNDS}: {max(seconds):.3f} s)")
    return min(seconds)


def write_plink(folder: Path, matrix: PackedMatrix, trait: np.ndarray, covariates: np.ndarray) -> None:
    """Write the same cohort as plink's own files."""
    code = np.array([3, 2, 0, 1], dtype=np.uint8)  # hom-ref, het, hom-alt, missing
    table = np.array([sum(code[(byte >> shift) & 3] << shift for shift in (0, 2, 4, 6)) for byte in range(256)])
    (folder / "in.bed").write_bytes(b"\x6c\x1b\x01" + table.astype(np.uint8)[matrix.packed].tobytes())
    (folder / "in.bim").write_text("".join(f"1\tv{row}\t0\t{row + 1}\tC\tA\n" for row in range(matrix.variants)))
    (folder / "in.fam").write_text("".join(f"0\ts{row}\t0\t0\t1\t-9\n" for row in range(matrix.samples)))
    names = [f"c{index}" for index in range(covariates.shape[1])]
    values = np.column_stack([trait, covariates])
    rows = (f"s{row}\t" + "\t".join(f"{value:.9g}" for value in values[row]) for row in range(matrix.samples))
    lines = ["\t".join(["#IID", "trait", *names]), *rows]
    (folder / "pheno.tsv").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Time both and say how much they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2504)
    parser.add_argument("--variants", type=int, default=23_770)
    parser.add_argument("--covariates", type=int, default=11)
    parser.add_argument("--missing", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    rng = np.random.default_rng(1)
    frequency = rng.beta(0.4, 1.2, (chosen.variants, 1))
    dosage = rng.binomial(2, frequency, (chosen.variants, chosen.people)).astype(np.int8)
    dosage[rng.random(dosage.shape) < chosen.missing] = -1
    matrix = PackedMatrix.from_dosage(dosage)
    trait, covariates = rng.standard_normal(chosen.people), rng.standard_normal((chosen.people, chosen.covariates))
    print(f"{chosen.people:,} people x {chosen.variants:,} variants, {chosen.covariates} covariates")
    ours = timed("nebula", lambda: associate(matrix, trait, covariates, threads=chosen.threads))
    if shutil.which("plink2") is None:
        print("plink2 is not installed: nothing to compare with")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plink(folder, matrix, trait, covariates)
        command = (
            f"plink2 --bfile in --glm hide-covar omit-ref --pheno pheno.tsv --pheno-name trait --covar pheno.tsv "
            f"--covar-name c0-c{chosen.covariates - 1} --threads {chosen.threads} --out out"
        ).split()
        theirs = timed(
            "plink2 --glm", lambda: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        )
    print(f"plink2 takes {theirs / ours:.1f} times as long")


if __name__ == "__main__":
    main()
