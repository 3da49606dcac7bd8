"""Products of a cohort's genotypes with a few columns, straight from the packed codes.

A variant's genotypes are numbers on a *line*: a value without alternate alleles, a step for each of them, and a value
where the genotype is missing. Standardised genotypes are such numbers, and so are dosages with missing ones set to the
mean. The kernel looks up four people (or four variants) at a time, so that no matrix of numbers is ever written out;
its sums are single precision within 256 genotypes and double precision beyond.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.frequency import GenotypeCounts
    from nebula.genome.matrix import PackedMatrix

MAX_THREADS = 8


def workers(threads: int | None) -> int:
    """Threads to use: as many as asked for, or as there are processors, up to eight."""
    return threads or min(os.cpu_count() or 1, MAX_THREADS)


def dosage_lines(counts: GenotypeCounts, *, impute: bool = True) -> NDArray[np.float64]:
    """Lines of alternate-allele counts; a missing genotype is twice the allele frequency, or 0. Shape (variants, 3)."""
    absent = np.nan_to_num(2 * counts.frequency) if impute else np.zeros(len(counts.counts))
    return np.column_stack([np.zeros(len(absent)), np.ones(len(absent)), absent])


def standardised_lines(counts: GenotypeCounts) -> NDArray[np.float64]:
    """Lines of standardised genotypes: minus 2p, over sqrt(2p(1-p)), missing ones 0. Shape (variants, 3).

    Every variant must vary.
    """
    frequency = counts.frequency
    step = 1 / np.sqrt(2 * frequency * (1 - frequency))
    return np.column_stack([-2 * frequency * step, step, np.zeros(len(step))])


def genotypes_times(
    matrix: PackedMatrix, lines: NDArray[np.float64], columns: NDArray[np.float64], *, threads: int | None = None
) -> NDArray[np.float64]:
    """Multiply the genotypes by columns of people.

    Args:
        matrix: the cohort.
        lines: shape (variants, 3): value without alternate alleles, step per allele, value of a missing genotype.
        columns: shape (samples, k), rounded to single precision.
        threads: results do not depend on it.

    Returns:
        Shape (variants, k).
    """
    values = np.ascontiguousarray(columns, dtype=np.float64)
    return _native.genotypes_times(matrix.packed, np.ascontiguousarray(lines), values, workers(threads))


def transposed_genotypes_times(
    matrix: PackedMatrix, lines: NDArray[np.float64], columns: NDArray[np.float64], *, threads: int | None = None
) -> NDArray[np.float64]:
    """Multiply the transposed genotypes by columns of variants, shape (variants, k): shape (samples, k)."""
    values = np.ascontiguousarray(columns, dtype=np.float64)
    return _native.transposed_genotypes_times(
        matrix.packed, matrix.samples, np.ascontiguousarray(lines), values, workers(threads)
    )
