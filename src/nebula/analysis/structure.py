"""Population structure: which variants to look at, and the principal components of people.

Components come from a block Krylov method (Musco and Musco, NeurIPS 2015): a few dozen random directions
are carried back and forth through the standardised genotypes, and the space they span is solved exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.analysis.frequency import GenotypeCounts
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix

# A tile of standardised genotypes takes at most this much memory.
TILE_BYTES = 64 * 1024 * 1024
OVERSAMPLING = 10
PASSES = 10


def prune_linked(
    matrix: PackedMatrix,
    chromosome: NDArray[np.str_],
    *,
    window: int = 50,
    step: int = 5,
    r_squared: float = 0.2,
) -> NDArray[np.bool_]:
    """Choose variants of which no two within a window repeat each other.

    Equal to ``plink2 --indep-pairwise WINDOW STEP R_SQUARED``: of a pair above the limit the rarer goes.

    Args:
        matrix: variants in genome order.
        chromosome: shape (variants,); windows do not cross from one to the next.
        window: variants in a window.
        step: variants that the window moves by.
        r_squared: limit of the squared correlation of allele counts.

    Returns:
        Which variants stay, shape (variants,). Constant ones never do.
    """
    kept = np.zeros(matrix.variants, dtype=np.bool_)
    borders = np.flatnonzero(chromosome[1:] != chromosome[:-1]) + 1
    for rows in np.split(np.arange(matrix.variants), borders):
        if len(rows):
            part = matrix.packed[rows[0] : rows[-1] + 1]
            kept[rows] = _native.prune_linked(part, matrix.samples, window, step, r_squared)
    return kept


def principal_components(matrix: PackedMatrix, count: int, *, seed: int) -> NDArray[np.float64]:
    """Return people's leading principal components.

    Genotypes are standardised as ``plink2 --pca`` does: minus twice the allele frequency, over
    the square root of 2p(1-p); missing ones are set to the mean. The variants should be LD-pruned.

    Args:
        matrix: the cohort on the variants chosen.
        count: number of components.
        seed: of the random start; equal seeds give equal components.

    Returns:
        float64, shape (samples, count): columns of unit length, the strongest first. The sign is chosen
        so that each column's entry of greatest size is positive.

    Raises:
        RejectedInputError: more components than people or than variants that vary.
    """
    if count == 0:
        return np.zeros((matrix.samples, 0))
    counts = GenotypeCounts.of(matrix)
    varying = matrix.select_variants(counts.minor > 0)
    if count > min(varying.variants, matrix.samples - 1):
        raise RejectedInputError(
            "analysis.too-many-components",
            f"{count} components need as many varying variants and more people; "
            f"there are {varying.variants} and {matrix.samples}",
        )
    start = np.random.default_rng(seed).standard_normal((matrix.samples, count + OVERSAMPLING))
    space = _krylov_space(varying, start[:, : matrix.samples])
    projected = _relationship_times(varying, space)
    small = space.T @ projected
    _, vectors = np.linalg.eigh((small + small.T) / 2)
    leading = space @ vectors[:, ::-1][:, :count]
    return _with_sign(leading / np.linalg.norm(leading, axis=0))


def _krylov_space(matrix: PackedMatrix, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal basis of the start and of what repeated products make of it."""
    block = np.linalg.qr(start)[0]
    blocks = [block]
    for _ in range(PASSES):
        if sum(one.shape[1] for one in blocks) >= matrix.samples:
            break
        block = np.linalg.qr(_relationship_times(matrix, block))[0]
        blocks.append(block)
    # Blocks grow alike as they converge: drop the directions that are rounding only.
    space, sizes, _ = np.linalg.svd(np.hstack(blocks), full_matrices=False)
    return np.asarray(space[:, sizes > sizes[0] * 1e-10])


def _relationship_times(matrix: PackedMatrix, block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply the relationship matrix X'X / variants by a block, one tile of variants at a time."""
    single = block.astype(np.float32)
    product = np.zeros(block.shape)
    for tile in standardised_tiles(matrix):
        product += tile.T @ (tile @ single)
    return product / matrix.variants


def standardised_tiles(matrix: PackedMatrix) -> Iterator[NDArray[np.float32]]:
    """Yield standardised genotypes, float32, shape (some variants, samples), in order."""
    height = max(1, TILE_BYTES // (4 * matrix.samples))
    for first in range(0, matrix.variants, height):
        part = matrix.select_variants(slice(first, first + height))
        frequency = GenotypeCounts.of(part).frequency[:, None]
        scale = np.sqrt(2 * frequency * (1 - frequency))
        values = np.hstack([(np.array([[0, 1, 2]]) - 2 * frequency) / scale, np.zeros_like(scale)])
        yield _native.expand(part.packed, part.samples, values.astype(np.float32))


def _with_sign(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    strongest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[strongest, np.arange(vectors.shape[1])])
    return np.asarray(vectors * signs)
