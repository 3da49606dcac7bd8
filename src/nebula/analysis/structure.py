"""Population structure: which variants to look at, and the principal components of people.

Components come from a block Krylov method (Musco and Musco, NeurIPS 2015) in the form of Lanczos with blocks: a few
random directions are carried back and forth through the standardised genotypes, which never leave their two bits,
and the space they span is solved exactly after every round, until the components stand still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula import _native
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.products import genotypes_times, standardised_lines, transposed_genotypes_times
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table
    from nebula.genome.matrix import PackedMatrix

# Directions are carried in groups of 16: the kernel's columns. At least so many are more than asked for.
LANES = 16
OVERSAMPLING = 4
MAXIMUM_PASSES = 20
# A component stands still when this little of its image lies outside of itself, relative to its eigenvalue.
RESIDUAL = 1e-3
# Squares of a grid on two components, in their standard deviations; who lies further out is put into the last ones.
GRID_STEP = 0.25
GRID_REACH = 4.0
# Squares are numbered from the centre: -16 to 15.
SQUARES_EACH_WAY = round(GRID_REACH / GRID_STEP)
# What a single-precision walk cannot tell from nothing.
ROUNDING = 1e-5


def prune_linked(
    matrix: PackedMatrix,
    chromosome: NDArray[Any],
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


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Leading eigenvectors of the relationship matrix X'X / variants.

    Attributes:
        vectors: shape (samples, count), orthonormal, the strongest first. They describe single people. The sign is
            such that each column's entry of greatest size is positive.
        values: eigenvalues, shape (count,), descending.
        residuals: length of what the matrix makes of a vector beyond its eigenvalue times itself, relative to the
            eigenvalue, shape (count,).
    """

    vectors: NDArray[np.float64]
    values: NDArray[np.float64]
    residuals: NDArray[np.float64]


def principal_components(matrix: PackedMatrix, count: int, *, seed: int) -> NDArray[np.float64]:
    """Return people's leading principal components, shape (samples, count): see ``leading_components``."""
    if count == 0:
        return np.zeros((matrix.samples, 0))
    return leading_components(matrix, count, seed=seed).vectors


def leading_components(matrix: PackedMatrix, count: int, *, seed: int, threads: int | None = None) -> Components:
    """Find people's leading principal components.

    Genotypes are standardised as ``plink2 --pca`` does: minus twice the allele frequency, over
    the square root of 2p(1-p); missing ones are set to the mean. The variants should be LD-pruned.

    Args:
        matrix: the cohort on the variants chosen.
        count: number of components, 1 or more.
        seed: of the random start; equal seeds give equal components.
        threads: results do not depend on it.

    Raises:
        RejectedInputError: more components than people or than variants that vary.
    """
    counts = GenotypeCounts.of(matrix)
    varying = matrix.select_variants(counts.minor > 0)
    if count > min(varying.variants, matrix.samples - 1):
        raise RejectedInputError(
            "analysis.too-many-components",
            f"{count} components need as many varying variants and more people; "
            f"there are {varying.variants} and {matrix.samples}",
        )
    lines = standardised_lines(GenotypeCounts.of(varying))

    def relationship_times(block: NDArray[np.float64]) -> NDArray[np.float64]:
        scores = genotypes_times(varying, lines, block, threads=threads)
        return transposed_genotypes_times(varying, lines, scores, threads=threads) / varying.variants

    width = min(-(-(count + OVERSAMPLING) // LANES) * LANES, matrix.samples)
    start = np.random.default_rng(seed).standard_normal((matrix.samples, width))
    return _block_lanczos(relationship_times, start, count)


def people_on_grid(vectors: NDArray[np.float64], first: int) -> dict[str, NDArray[np.int64]]:
    """Count people on a grid over two components, scaled to standard deviation 1.

    The grid is the same for every cohort: no border of a square tells of anyone.

    Args:
        vectors: shape (samples, 2), of unit length.
        first: number of the first of the two components, from 1.

    Returns:
        Columns ``component_x``, ``component_y``, ``square_x`` and ``square_y`` (-16 to 15 from the centre), ``people``.
    """
    return people_on_squares(vectors * np.sqrt(len(vectors)) / GRID_STEP, first)


def people_on_squares(places: NDArray[np.float64], first: int) -> dict[str, NDArray[np.int64]]:
    """Count people in squares of side 1, shape (samples, 2), as ``people_on_grid`` has them."""
    places = np.floor(places).clip(-SQUARES_EACH_WAY, SQUARES_EACH_WAY - 1).astype(np.int64)
    squares, people = np.unique(places, axis=0, return_counts=True)
    return {
        "component_x": np.full(len(squares), first),
        "component_y": np.full(len(squares), first + 1),
        "square_x": squares[:, 0],
        "square_y": squares[:, 1],
        "people": people.astype(np.int64),
    }


def share_in_outermost(table: Table) -> float:
    """Return the share of the people counted who are in a square at the grid's border, where all further out are put.

    Args:
        table: as ``people_on_squares`` has it, of one pair of components.
    """
    borders = (-SQUARES_EACH_WAY, SQUARES_EACH_WAY - 1)
    outermost = np.isin(table["square_x"], borders) | np.isin(table["square_y"], borders)
    return float(table["people"][outermost].sum() / max(1, table["people"].sum()))


def _block_lanczos(
    times: Callable[[NDArray[np.float64]], NDArray[np.float64]], start: NDArray[np.float64], count: int
) -> Components:
    """Grow an orthonormal basis by the matrix' image of its last block until ``count`` eigenvectors stand still."""
    block = np.linalg.qr(start)[0]
    basis = images = np.zeros((len(start), 0))
    for _ in range(MAXIMUM_PASSES):
        image = times(block)
        basis, images = np.hstack([basis, block]), np.hstack([images, image])
        found = _within(basis, images, count)
        if (found.residuals <= RESIDUAL).all():
            break
        block = _beyond(basis, image)
        if not block.shape[1]:
            break
    return found


def _within(basis: NDArray[np.float64], images: NDArray[np.float64], count: int) -> Components:
    """Solve the eigenproblem within a basis (Rayleigh and Ritz)."""
    small = basis.T @ images
    values, rotation = np.linalg.eigh((small + small.T) / 2)
    values, rotation = values[::-1][:count], rotation[:, ::-1][:, :count]
    vectors = basis @ rotation
    left = np.linalg.norm(images @ rotation - vectors * values, axis=0)
    residuals = left / np.maximum(np.abs(values), np.finfo(float).tiny)
    return Components(_with_sign(vectors / np.linalg.norm(vectors, axis=0)), values, residuals)


def _beyond(basis: NDArray[np.float64], image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal directions of an image that a basis does not hold yet; none where the rest is rounding."""
    sizes = np.linalg.norm(image, axis=0)
    # Twice is enough for orthogonality to the last digit.
    for _ in range(2):
        image = image - basis @ (basis.T @ image)
    vectors, left, _ = np.linalg.svd(image, full_matrices=False)
    rest = vectors[:, left > ROUNDING * sizes.max()][:, : len(basis) - basis.shape[1]]
    return np.linalg.qr(rest - basis @ (basis.T @ rest))[0]


def _with_sign(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    strongest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[strongest, np.arange(vectors.shape[1])])
    return np.asarray(vectors * signs)
