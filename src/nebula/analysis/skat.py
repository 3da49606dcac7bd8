"""Tests of a region's rare variants together: burden, SKAT and SKAT-O.

Each variant has a score S = g'(y - mean), whose covariance under no effect is known from the model without variants.
With weights w: burden adds the weighted scores, (sum wS)^2, and is strong where all variants act alike; SKAT adds their
squares, sum (wS)^2, and is strong where they do not; SKAT-O takes the best of the mixtures between the two, rho of the
one and 1 - rho of the other, and pays for having looked at several.

Sources: Wu et al., AJHG 89 (2011) for SKAT; Lee, Wu, Lin, Biostatistics 13 (2012) for SKAT-O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from nebula.analysis.effect import is_case_control
from nebula.analysis.linear import covariate_basis, trait_residual
from nebula.analysis.logistic import fit_null
from nebula.analysis.mixture import log_tail, value_at_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The mixtures looked at, as in the R package's "optimal.adj".
RHOS = (0.0, 0.01, 0.04, 0.09, 0.16, 0.25, 0.5, 1.0)
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)
# Eigenvalues below this share of the largest are rounding.
_RANK = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class NullModel:
    """A trait without any variant.

    Attributes:
        residual: trait minus its expectation, over its variance, shape (samples,).
        root_weight: square root of what each person's genotype counts in the scores' covariance, shape (samples,).
        basis: orthonormal columns of the weighted covariates, intercept included, shape (samples, rank).
    """

    residual: NDArray[np.float64]
    root_weight: NDArray[np.float64]
    basis: NDArray[np.float64]

    @classmethod
    def fit(cls, trait: NDArray[np.float64], covariates: NDArray[np.float64]) -> NullModel:
        """Fit a measured trait by least squares, one of two values by maximum likelihood.

        Args:
            trait: shape (samples,), finite.
            covariates: shape (samples, k), without the intercept.

        Raises:
            RejectedInputError: as ``linear.trait_residual`` and ``logistic.fit_null``.
        """
        basis = covariate_basis(covariates, len(trait))
        if not is_case_control(trait):
            rest = trait_residual(trait, basis)
            variance = float(rest @ rest) / (len(trait) - basis.shape[1])
            return cls(rest / variance, np.full(len(trait), variance**-0.5), basis)
        case = (trait == trait.max()).astype(np.float64)
        design = np.ascontiguousarray(basis.T * np.sqrt(len(trait)))
        mean = special.expit(fit_null(design, case) @ design)
        root = np.sqrt(mean * (1 - mean))
        return cls(case - mean, root, np.linalg.qr(basis * root[:, None])[0])

    def project(self, genotypes: NDArray[np.float64]) -> NDArray[np.float64]:
        """What covariates leave of weighted genotypes, shape (samples, variants): a root of their covariance."""
        weighted = genotypes * self.root_weight[:, None]
        return np.asarray(weighted - self.basis @ (self.basis.T @ weighted))


@dataclass(frozen=True, slots=True)
class RegionTest:
    """-log10 p of the three tests; ``rho`` is the mixture that was best, 0 for SKAT and 1 for burden."""

    burden: float
    skat: float
    skat_o: float
    rho: float


def run_region_tests(null: NullModel, genotypes: NDArray[np.float64], weights: NDArray[np.float64]) -> RegionTest:
    """Test a region's variants together.

    Args:
        null: of the people.
        genotypes: copies of the rarer allele, missing ones set to the mean, shape (samples, variants), one or more.
        weights: of each variant, above zero, shape (variants,).
    """
    weighted = genotypes * weights
    scores = null.residual @ weighted
    left = null.project(weighted)
    square, total = float(scores @ scores), float(scores.sum()) ** 2
    statistics = [(1 - rho) * square + rho * total for rho in RHOS]
    mixtures = [_eigenvalues(_mixed(left, rho)) for rho in RHOS]
    logs = [log_tail(mixture, value) for mixture, value in zip(mixtures, statistics, strict=True)]
    best = int(np.argmin(logs))
    optimal = _best_of_all(left, mixtures, logs[best]) if left.shape[1] > 1 else logs[0]
    # Looking at several never helps, and never costs more than each by itself (Bonferroni).
    optimal = min(max(optimal, logs[best]), logs[best] + np.log(len(RHOS)), 0.0)
    burden, skat, skat_o = (max(0.0, -value / np.log(10)) for value in (logs[-1], logs[0], optimal))
    return RegionTest(burden, skat, skat_o, RHOS[best])


def beta_weights(frequency: NDArray[np.float64], first: float = 1.0, second: float = 25.0) -> NDArray[np.float64]:
    """Weight variants by the beta density at their rarer allele's frequency: the rarer the more."""
    log = (first - 1) * np.log(frequency) + (second - 1) * np.log1p(-frequency) - special.betaln(first, second)
    return np.asarray(np.exp(log))


def _mixed(left: NDArray[np.float64], rho: float) -> NDArray[np.float64]:
    """Multiply by the root of (1 - rho) I + rho 11': its Gram matrix has the mixture's eigenvalues."""
    count = left.shape[1]
    side = np.sqrt(1 - rho)
    along = (np.sqrt(1 - rho + rho * count) - side) / count
    return np.asarray(side * left + along * left.sum(axis=1, keepdims=True))


def _eigenvalues(left: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squares of the singular values, those that are rounding left out."""
    gram = left.T @ left if left.shape[1] <= left.shape[0] else left @ left.T
    values = np.linalg.eigvalsh(gram)
    return np.asarray(values[values > _RANK * values[-1]])


def _best_of_all(left: NDArray[np.float64], mixtures: list[NDArray[np.float64]], log_p: float) -> float:
    """Logarithm of the chance that any mixture's p is as small as the smallest found.

    The mean of the projected genotypes has a chi-square that all mixtures share; given it, what is left is a
    mixture of chi-squares whose least demanding bound decides. Its small covariance with the shared part is met by
    shrinking its spread, as the paper does.
    """
    count = left.shape[1]
    mean = left.mean(axis=1)
    length = float(mean @ mean)
    along = mean @ left
    beside = left - np.outer(mean, along / length)
    own = _eigenvalues(beside)
    crossed = 4 * float(np.sum((beside.T @ beside) * np.outer(along, along)) / length)
    centre, variance = float(own.sum()), 2 * float(own @ own)
    shrink = np.sqrt(variance / (variance + crossed)) if variance > 0 else 1.0
    bounds = [value_at_tail(mixture, log_p) for mixture in mixtures]
    shared = [count**2 * rho * length + (1 - rho) * float(along @ along) / length for rho in RHOS]
    end = bounds[-1] / shared[-1]  # from here on the burden alone is enough

    def given(x: float) -> float:
        least = min((bound - part * x) / (1 - rho) for rho, bound, part in zip(RHOS[:-1], bounds, shared, strict=False))
        return log_tail(own, (least - centre) * shrink + centre)

    # x = z^2 with z normal: 2 phi(z) dz, from 0 to the end's root.
    reach = np.sqrt(end)
    z = reach * (_NODES + 1) / 2
    density = np.log(_NODE_WEIGHTS * reach) - z**2 / 2 - 0.5 * np.log(2 * np.pi)
    inside = special.logsumexp(np.array([given(float(x)) for x in z**2]) + density)
    return float(np.logaddexp(inside, log_tail(np.ones(1), end)))
