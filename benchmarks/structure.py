"""Components and pruning: ours beside plink2.

    python benchmarks/structure.py [--people 10000] [--variants 100000] [--few-people 4000] [--few-variants 20000]

Five populations, apart by an F_ST of about a hundredth. Both run on one thread; processor time, medians of rounds in
which they take turns. plink2's time holds its start and its reading of a local file.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from made_up import write_plink
from measuring import Figure, command_time, own_time, row, take_turns, tool_version, write_results

from nebula.analysis.structure import leading_components, prune_linked
from nebula.genome.matrix import PackedMatrix

POPULATIONS = 5
FST = 0.01


def structured(people: int, variants: int) -> PackedMatrix:
    """Five populations that drifted apart (Balding and Nichols, 1995)."""
    rng = np.random.default_rng(3)
    parts = []
    for first in range(0, variants, 2000):
        count = min(2000, variants - first)
        ancestral = rng.uniform(0.05, 0.95, (count, 1))
        spread = (1 - FST) / FST
        own = rng.beta(ancestral * spread, (1 - ancestral) * spread, (count, POPULATIONS)).astype(np.float32)
        share = own[:, np.arange(people) % POPULATIONS]
        dosage = (rng.random((2, count, people), dtype=np.float32) < share).sum(axis=0).astype(np.int8)
        parts.append(PackedMatrix.from_dosage(dosage).packed)
    return PackedMatrix(np.concatenate(parts), people)


def side_by_side(
    matrix: PackedMatrix, ours: Callable[[], object], arguments: str, rounds: int, check: Callable[[Path], None]
) -> dict[str, Figure]:
    """Time our function and plink2 with some arguments; ``check`` looks at what plink2 wrote."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plink(folder, matrix, {"trait": np.zeros(matrix.samples)})
        command = f"plink2 --pfile in --threads 1 --out out {arguments}".split()
        works = {"nebula": lambda: own_time(ours), f"plink2 {arguments}": lambda: command_time(command, folder)}
        figures = take_turns(rounds, works)
        check(folder)
    return figures


def main() -> None:
    """Time both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument("--few-people", type=int, default=4_000)
    parser.add_argument("--few-variants", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    rows, all_figures, notes = [], {}, {}

    whole = structured(chosen.people, chosen.variants)
    found = leading_components(whole, 10, seed=1, threads=1)

    def compare(folder: Path) -> None:
        lines = (folder / "out.eigenvec").read_text().splitlines()[1:]
        theirs = np.array([line.split()[-10:] for line in lines], dtype=float)
        cosines = np.abs((found.vectors * theirs).sum(axis=0))[: POPULATIONS - 1]
        notes["cosines_with_plink2"] = [round(float(one), 6) for one in cosines]

    def nothing(folder: Path) -> None:
        """Leave what plink2 wrote unread."""

    figures = side_by_side(
        whole, lambda: leading_components(whole, 10, seed=1, threads=1), "--pca approx 10", chosen.rounds, compare
    )
    title = f"10 components, N = {chosen.people:,} x {chosen.variants:,}"
    rows.append(row(title, *(one.median for one in figures.values()), bar=3))
    all_figures["components"] = figures

    some = structured(chosen.few_people, chosen.few_variants)
    chromosome = np.ones(some.variants, dtype=np.int64)
    figures = side_by_side(
        some, lambda: prune_linked(some, chromosome), "--indep-pairwise 50 5 0.2", chosen.rounds, nothing
    )
    title = f"pruning, N = {chosen.few_people:,} x {chosen.few_variants:,}"
    rows.append(row(title, *(one.median for one in figures.values()), bar=1))
    all_figures["pruning"] = figures
    peer = tool_version("plink2", "--version")
    write_results("structure", {"peer": peer, "figures": all_figures, "rows": rows, **notes})


if __name__ == "__main__":
    main()
