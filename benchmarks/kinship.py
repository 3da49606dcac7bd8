"""Kinship of all pairs: ours beside plink2.

    python benchmarks/kinship.py [--people 4000] [--variants 20000] [--missing 0.0 0.005]

Five populations, apart by an F_ST of about a hundredth, once with every genotype there and once with some missing. Both
run on one thread; processor time, medians of rounds in which they take turns. plink2's time holds its start and its
reading of a local file.
"""

import argparse
from pathlib import Path

import numpy as np
from measuring import row, tool_version, write_results
from structure import side_by_side, structured

from nebula.analysis.kinship import RELATED, find_relatives
from nebula.genome.matrix import PackedMatrix

BAR = 2


def with_gaps(matrix: PackedMatrix, share: float) -> PackedMatrix:
    """The same cohort with a share of its genotypes missing, a thousand variants at a time."""
    rng = np.random.default_rng(4)
    parts = []
    for first in range(0, matrix.variants if share else 0, 1000):
        dosage = matrix.dosage(slice(first, first + 1000))
        dosage[rng.random(dosage.shape, dtype=np.float32) < share] = -1
        parts.append(PackedMatrix.from_dosage(dosage).packed)
    return PackedMatrix(np.concatenate(parts), matrix.samples) if parts else matrix


def main() -> None:
    """Time both on each cohort."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--variants", type=int, default=20_000)
    parser.add_argument("--missing", type=float, nargs="*", default=[0.0, 0.005])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    whole, rows, all_figures = structured(chosen.people, chosen.variants), [], {}
    for share in chosen.missing:
        matrix = with_gaps(whole, share)
        pairs = len(find_relatives(matrix, threads=1).first)

        def compare(folder: Path, pairs: int = pairs) -> None:
            theirs = len((folder / "out.kin0").read_text().splitlines()) - 1
            if theirs != pairs:
                raise SystemExit(f"plink2 finds {theirs} pairs of relatives, and we find {pairs}")

        figures = side_by_side(
            matrix,
            lambda matrix=matrix: find_relatives(matrix, threads=1),
            f"--make-king-table --king-table-filter {RELATED:.6f}",
            chosen.rounds,
            compare,
        )
        title = f"kinship, N = {chosen.people:,} x {chosen.variants:,}, {share:.1%} missing"
        rows.append(row(title, *(one.median for one in figures.values()), bar=BAR))
        all_figures[title] = figures
    peer = tool_version("plink2", "--version")
    write_results("kinship", {"peer": peer, "figures": all_figures, "rows": rows})


if __name__ == "__main__":
    main()
