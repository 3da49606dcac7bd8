"""Genome-wide linear association: one trait on each variant in turn, with covariates.

The covariates are projected out once, of the trait and, inside the native kernel, of each variant; what
is left is one simple regression per variant, equal to the full one (Frisch-Waugh-Lovell).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.analysis.tails import neg_log10_two_sided_t
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix

# A covariate (or the trait) with less than this share of its variance left is explained by the others.
TOLERANCE = 1e-8
MAX_THREADS = 8


class NoEstimate(IntEnum):
    """Why a variant has no estimate."""

    NONE = 0  # it has one
    CONSTANT = 1  # everyone observed has the same genotype
    COLLINEAR = 2  # the covariates explain it, or each other among the people observed
    TOO_FEW = 3  # no degree of freedom left


@dataclass(frozen=True, slots=True, eq=False)
class Associations:
    """One row per variant, in the matrix' order; NaN where ``no_estimate`` says why.

    Attributes:
        beta: change of the trait per alternate allele, in the trait's unit.
        standard_error: of ``beta``.
        t: ``beta / standard_error``.
        neg_log10_p: two-sided, exact far beyond where p itself would underflow.
        observed: people who have this genotype.
        alternate: alternate alleles among them.
        no_estimate: NoEstimate codes, uint8.
    """

    beta: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    t: NDArray[np.float64]
    neg_log10_p: NDArray[np.float64]
    observed: NDArray[np.int64]
    alternate: NDArray[np.int64]
    no_estimate: NDArray[np.uint8]


def complete_cases(*columns: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Who has a finite value in every column: shape (samples,). The others leave the analysis whole."""
    return np.asarray(np.logical_and.reduce([np.isfinite(column) for column in columns]))


def associate(
    matrix: PackedMatrix,
    trait: NDArray[np.float64],
    covariates: NDArray[np.float64],
    *,
    threads: int | None = None,
) -> Associations:
    """Regress a trait on every variant of a cohort.

    Args:
        matrix: the cohort's genotypes.
        trait: shape (samples,), finite; see ``complete_cases``.
        covariates: shape (samples, k), finite, without the intercept, which is added. k may be 0.
        threads: results do not depend on it.

    Returns:
        Slopes as exact as double precision but for the rounding of each column to 30 bits, which moves them by
        less than 1e-6 standard errors. Every variant's numbers are the same bits on any processor, with any number
        of threads, and whichever other variants are in the matrix.

    Raises:
        RejectedInputError: values are missing, the trait is constant or explained by the covariates, or
            fewer people than covariates. Covariates that repeat each other are dropped silently: the
            space they span, and so every estimate, stays the same.
    """
    if trait.shape != (matrix.samples,):
        raise RejectedInputError("analysis.shape", f"the trait has shape {trait.shape}, not ({matrix.samples},)")
    return associate_many(matrix, trait[:, None], covariates, threads=threads)[0]


def associate_many(
    matrix: PackedMatrix,
    traits: NDArray[np.float64],
    covariates: NDArray[np.float64],
    *,
    threads: int | None = None,
) -> tuple[Associations, ...]:
    """Regress several traits of the same people on every variant, in one walk over the genotypes.

    Args:
        matrix: the cohort's genotypes.
        traits: shape (samples, traits), finite: everyone has every trait. Traits that some people lack go into
            calls of their own, over those who have them.
        covariates: shape (samples, k), as of ``associate``.
        threads: results do not depend on it.

    Returns:
        One per trait, equal to those of ``associate`` bit by bit.

    Raises:
        RejectedInputError: as ``associate``, for any of the traits.
    """
    basis = covariate_basis(covariates, matrix.samples)
    residuals = [trait_residual(trait, basis) for trait in traits.T]
    return associate_residuals(matrix, basis, np.column_stack(residuals), threads=threads)


def associate_residuals(
    matrix: PackedMatrix,
    basis: NDArray[np.float64],
    residuals: NDArray[np.float64],
    *,
    threads: int | None = None,
) -> tuple[Associations, ...]:
    """Regress what the covariates leave of each trait on every variant: ``associate_many`` for who projects once.

    Args:
        matrix: all of the cohort's variants, or some: each is estimated by itself.
        basis: shape (samples, rank), of ``covariate_basis``.
        residuals: shape (samples, traits), orthogonal to the basis.
        threads: results do not depend on it.
    """
    workers = threads or min(os.cpu_count() or 1, MAX_THREADS)
    betas, errors, observed, alternate, reason = _native.linear_scan(
        matrix.packed, np.ascontiguousarray(basis), np.ascontiguousarray(residuals), workers
    )
    rank = basis.shape[1]
    freedom = observed - rank - 1
    found = []
    for beta, error in zip(np.ascontiguousarray(betas.T), np.ascontiguousarray(errors.T), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            t = beta / error
        p = neg_log10_two_sided_t(t, freedom)
        found.append(Associations(beta, error, t, p, observed, alternate, no_estimate=reason))
    return tuple(found)


def covariate_basis(covariates: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Return an orthonormal basis of the covariates and the intercept: shape (samples, rank).

    Columns that those before them explain are left out.
    """
    if covariates.shape[0] != samples:
        raise RejectedInputError("analysis.shape", f"covariates have {covariates.shape[0]} rows, not {samples}")
    if not np.isfinite(covariates).all():
        raise RejectedInputError("analysis.missing-covariate", "a covariate is missing for someone analysed")
    if samples <= covariates.shape[1] + 2:
        raise RejectedInputError(
            "analysis.too-few", f"{samples} people are too few for {covariates.shape[1]} covariates"
        )
    basis = [np.full(samples, samples**-0.5)]
    for column in covariates.T:
        # Scaled first, so that the tolerance is relative and units do not matter.
        centred = column - column.mean()
        scale = np.abs(centred).max(initial=0.0)
        if scale <= TOLERANCE * np.abs(column).max(initial=0.0):
            continue
        vector = centred / scale
        size = float(vector @ vector)
        # Twice is enough for orthogonality to the last digit.
        for _ in range(2):
            for known in basis:
                vector = vector - known * (known @ vector)
        left = float(vector @ vector)
        if left > TOLERANCE * size:
            basis.append(vector / np.sqrt(left))
    return np.column_stack(basis)


def trait_residual(trait: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a basis of ``covariate_basis`` leaves of a trait: shape (samples,).

    Raises:
        RejectedInputError: ``analysis.missing-trait``, ``analysis.constant-trait``, ``analysis.shape``.
    """
    if trait.shape != (basis.shape[0],):
        raise RejectedInputError("analysis.shape", f"the trait has shape {trait.shape}, not {basis.shape[:1]}")
    if not np.isfinite(trait).all():
        raise RejectedInputError("analysis.missing-trait", "the trait is missing for someone analysed")
    residual = projected_out(trait, basis)
    if residual is None:
        raise RejectedInputError(
            "analysis.constant-trait", "the trait is constant, or the covariates explain all of it"
        )
    return residual


def projected_out(values: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return what a basis of ``covariate_basis`` leaves of values, shape (samples,), or None if it is nothing."""
    centred = values - values.mean()
    residual = centred - basis @ (basis.T @ centred)
    residual = residual - basis @ (basis.T @ residual)
    floor = TOLERANCE * max(float(centred @ centred), TOLERANCE * float(values @ values))
    return None if float(residual @ residual) <= floor else np.asarray(residual)
