"""P-values far out in the tails, as logarithms: exact where a double would underflow to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Below this a p-value is computed as a logarithm from the start.
_SMALLEST_DIRECT = 1e-290
_TINY = 1e-300
_ROUNDS = 400
_CONVERGED = 1e-15


def neg_log10_two_sided_t(
    t: NDArray[np.float64], freedom: NDArray[np.float64] | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return -log10 of the two-sided p of Student's t.

    Args:
        t: statistic, any shape; NaN stays NaN. Of a fit without residuals it is infinite, and so is the result.
        freedom: degrees of freedom, same shape; NaN results below 1.
    """
    freedom = np.asarray(freedom, dtype=np.float64)
    known = ~np.isnan(t) & (freedom >= 1)
    valid = known & np.isfinite(t)
    # p is the regularised incomplete beta function at x = v / (v + t²).
    squared = np.where(valid, t, 0.0) ** 2
    safe_freedom = np.where(valid, freedom, 1.0)
    x = safe_freedom / (safe_freedom + squared)
    p = special.betainc(safe_freedom / 2, 0.5, x)
    out = -np.log10(np.maximum(p, _TINY))
    deep = valid & (p < _SMALLEST_DIRECT)
    if deep.any():
        out[deep] = -_log10_incomplete_beta(safe_freedom[deep] / 2, 0.5, squared[deep], safe_freedom[deep])
    # -0.0 for p = 1 would print a sign.
    out = np.asarray(out + 0.0)
    out[~valid] = np.where(known, np.inf, np.nan)[~valid]
    return out


def _log10_incomplete_beta(
    a: NDArray[np.float64], b: float, squared: NDArray[np.float64], freedom: NDArray[np.float64]
) -> NDArray[np.float64]:
    """log10 of I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22), for x below the mean."""
    log_x = -np.log1p(squared / freedom)
    log_rest = np.log(squared) - np.log(freedom + squared)
    front = a * log_x + b * log_rest - np.log(a) - special.betaln(a, b)
    return np.asarray((front + np.log(_beta_fraction(a, b, np.exp(log_x)))) / np.log(10))


def _beta_fraction(a: NDArray[np.float64], b: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    upper = np.ones_like(x)
    lower = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = lower.copy()
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = np.ones_like(x)
        for step in (even, odd):
            lower = 1 / _away_from_zero(1 + step * lower)
            upper = _away_from_zero(1 + step / upper)
            change = lower * upper
            value *= change
        if np.all(np.abs(change - 1) < _CONVERGED):
            break
    return value


def _away_from_zero(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(x) < _TINY, _TINY, x)


def neg_log10_two_sided_normal(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -log10 of the two-sided p of a standard normal deviate, any shape; NaN stays NaN."""
    # -0.0 for p = 1 would print a sign.
    return np.asarray(-(special.log_ndtr(-np.abs(z)) + np.log(2)) / np.log(10) + 0.0)
