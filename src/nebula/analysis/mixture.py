"""The upper tail of a weighted sum of chi-squares, exact to twelve digits however small it is.

The tail is an integral of exp(K(s) - s q) / s over a line right of zero, K being the cumulant generating function.
Davies sums it near the imaginary axis, where a small tail is what is left of large terms. Here the path goes through
the saddle point and bends to the right along the steepest descent, where all that is added has one size: the error is
relative to the tail, there is nothing to tune, and no approximation to fall back on.

Sources: Davies, Applied Statistics 29 (1980); Rice, SIAM J. Sci. Stat. Comput. 1 (1980) for the saddle; Weideman and
Trefethen, Mathematics of Computation 76 (2007) for the trapezoidal rule on a parabola.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Weights smaller than this share of the largest add nothing that could be seen.
NEGLIGIBLE = 1e-12
# Steps of the trapezoidal rule, in widths of the saddle.
_STEP = 0.08
_REACH = 250
_ENDED = -45.0  # logarithm of what is too small, beside the saddle's value, to be added


def log_tail(weights: NDArray[np.float64], value: float) -> float:
    """Return the natural logarithm of P(sum of weights times chi-squares of one degree > value).

    Args:
        weights: shape (k,), none negative, at least one above zero.
        value: the observed sum.
    """
    if value <= 0:
        return 0.0
    largest = float(weights.max())
    scaled = weights[weights > NEGLIGIBLE * largest] / largest
    with np.errstate(over="ignore"):
        place = float(np.float64(value) / largest)
    if place == np.inf:
        return -np.inf
    if (scaled == 1.0).all():
        return _log_chi_square_tail(len(scaled), place)
    saddle = _saddle(scaled, place)
    # Too near the pole at zero nothing is gained by the saddle itself.
    near = 0.5 / float(np.sqrt(2 * (scaled @ scaled)))
    if saddle > -near:
        return _log_integral(scaled, place, max(saddle, float(min(near, 0.25))))
    return float(np.log1p(-np.exp(_log_integral(scaled, place, saddle))))


def value_at_tail(weights: NDArray[np.float64], log_p: float) -> float:
    """Return where the tail's natural logarithm is ``log_p``, below zero: the inverse of ``log_tail``."""
    first = float(weights.sum())
    low = high = first
    while log_tail(weights, high) > log_p:
        high *= 2
    while log_tail(weights, low) < log_p:
        low /= 2
    if low == high:
        return first
    return float(optimize.brentq(lambda value: log_tail(weights, value) - log_p, low, high, xtol=1e-10 * high))


def _saddle(weights: NDArray[np.float64], value: float) -> float:
    """Where the derivative of K is ``value``: one place below 1/2, the largest weight being 1."""

    def beyond(log_distance: float) -> float:
        s = (1 - np.exp(log_distance)) / 2
        return float((weights / (1 - 2 * weights * s)).sum()) - value

    # The sum of k weights lies between those of one and of k at the largest.
    low = np.log(0.5 / value)
    high = np.log(2 * len(weights) / value + 2)
    while beyond(high) > 0:
        high += 5.0
    found: float = optimize.brentq(beyond, low, high, xtol=1e-10)
    return float((1 - np.exp(found)) / 2)


def _log_integral(weights: NDArray[np.float64], value: float, start: float) -> float:
    """Integrate along the parabola through ``start``; by symmetry its upper half is enough.

    The logarithm of the tail, or, left of zero, of what the tail lacks to one.
    """
    parts = 2 * weights / (1 - 2 * weights * start)
    second, third = 0.5 * float((parts**2).sum()), float((parts**3).sum())
    width, bend = second**-0.5, third / (6 * second)
    t = np.arange(_REACH) * _STEP
    s = start + 1j * width * t + bend * width**2 * t**2
    slope = 1j * width + 2 * bend * width**2 * t
    exponent = -0.5 * np.log1p(-2 * weights[:, None] * s).sum(axis=0) - s * value
    top = float(exponent[0].real)
    relative = np.exp(exponent - top) * slope / s
    relative[exponent.real - top < _ENDED] = 0
    total = float((relative.imag[0] / 2 + relative.imag[1:].sum()) * _STEP / np.pi)
    return top + float(np.log(abs(total)))


def _log_chi_square_tail(freedom: int, value: float) -> float:
    p = float(special.chdtrc(freedom, value))
    if p > 1e-290:  # noqa: PLR2004 - below, digits are lost
        return float(np.log(p))
    # Legendre's continued fraction for the incomplete gamma function, far beyond the mean (DLMF 8.9.2).
    half, x = freedom / 2, value / 2
    fraction = 0.0
    for n in range(200, 0, -1):
        fraction = n * (half - n) / (x - half + 2 * n + 1 + fraction)
    return float(half * np.log(x) - x - special.gammaln(half) - np.log(x - half + 1 + fraction))
