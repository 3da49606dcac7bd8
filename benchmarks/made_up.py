"""Genotypes made up for benchmarks: frequencies as a population of constant size has them, or common ones."""

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nebula.genome.matrix import PackedMatrix

COMMON = 0.05


def frequencies(rng: np.random.Generator, people: int, variants: int, least: float) -> NDArray[np.float64]:
    """Draw allele frequencies: a variant with k copies is 1/k as likely as a singleton; half count the other allele.

    Real genomes have more rare variants still: populations grow.
    """
    copies = np.arange(max(1, np.ceil(2 * people * least)), people + 1)
    drawn = rng.choice(copies, variants, p=(1 / copies) / (1 / copies).sum()) / (2 * people)
    return np.where(rng.random(variants) < 1 / 2, drawn, 1 - drawn) if least else drawn


def genotypes(people: int, variants: int, *, least: float = 0.0, missing: float = 0.0, seed: int = 1) -> PackedMatrix:
    """Make a cohort in Hardy-Weinberg proportions, a few thousand variants at a time."""
    rng = np.random.default_rng(seed)
    frequency = frequencies(rng, people, variants, least).astype(np.float32)
    parts = []
    for first in range(0, variants, 2000):
        share = frequency[first : first + 2000, None]
        draws = rng.random((2, len(share), people), dtype=np.float32)
        dosage = (draws < share).sum(axis=0).astype(np.int8)
        if missing:
            dosage[rng.random(dosage.shape, dtype=np.float32) < missing] = -1
        parts.append(PackedMatrix.from_dosage(dosage).packed)
    return PackedMatrix(np.concatenate(parts), people)


def write_plink(folder: Path, matrix: PackedMatrix, columns: dict[str, NDArray[np.float64]]) -> None:
    """Write the cohort as plink2's own files, ``in.pgen`` and the like, and the columns as ``pheno.tsv``."""
    code = np.array([3, 2, 0, 1], dtype=np.uint8)  # hom-ref, het, hom-alt, missing
    bytes_ = np.arange(256)
    table = sum(code[(bytes_ >> shift) & 3] << shift for shift in (0, 2, 4, 6)).astype(np.uint8)
    (folder / "in.bed").write_bytes(b"\x6c\x1b\x01" + table[matrix.packed].tobytes())
    (folder / "in.bim").write_text("".join(f"1\tv{row}\t0\t{row + 1}\tC\tA\n" for row in range(matrix.variants)))
    (folder / "in.fam").write_text("".join(f"0\ts{row}\t0\t0\t1\t-9\n" for row in range(matrix.samples)))
    rows = zip(*columns.values(), strict=True)
    lines = [f"s{index}\t" + "\t".join(f"{value:.17g}" for value in row) for index, row in enumerate(rows)]
    (folder / "pheno.tsv").write_text("\n".join(["\t".join(["#IID", *columns]), *lines]) + "\n")
    convert = ["plink2", "--bfile", "in", "--make-pgen", "--out", "in", "--threads", "1"]
    subprocess.run(convert, cwd=folder, check=True, capture_output=True)
    (folder / "in.bed").unlink()
