import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from nebula.analysis.mixture import log_tail, value_at_tail


def imhof(weights: np.ndarray, value: float) -> float:
    """The tail by Imhof's integral (Biometrika 48, 1961) on the real axis, piece by piece until nothing is left."""

    def integrand(u: float) -> float:
        angle = 0.5 * np.arctan(weights * u).sum() - 0.5 * value * u
        return np.sin(angle) / (u * np.exp(0.25 * np.log1p((weights * u) ** 2).sum()))

    total, at, width = 0.0, 1e-12, 4 * np.pi / value
    for _ in range(4000):
        part, _ = integrate.quad(integrand, at, at + width, epsabs=1e-13, epsrel=1e-11)
        total, at = total + part, at + width
        if abs(integrand(at)) * at < 1e-11 or abs(part) < 1e-13:
            break
    return 0.5 + total / np.pi


@settings(max_examples=40)
@given(
    weights=st.lists(st.floats(1e-3, 50), min_size=6, max_size=40),
    place=st.floats(0.05, 4.0),
)
def test_the_tail_is_that_of_imhofs_integral(weights: list[float], place: float) -> None:
    found = np.array(weights)
    value = place * found.sum()
    assert np.exp(log_tail(found, value)) == pytest.approx(imhof(found, value), abs=2e-8)


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 400])
@pytest.mark.parametrize("place", [0.2, 1.0, 1.5, 3.0, 30.0, 500.0])
def test_equal_weights_are_a_chi_square_and_nearly_equal_ones_nearly(freedom: int, place: float) -> None:
    expected = stats.chi2.logsf(place * freedom, freedom)
    if not np.isfinite(expected) or expected < -600:
        expected = None
    exact = log_tail(np.ones(freedom), place * freedom)
    nearly = log_tail(np.r_[np.ones(freedom - 1), 1 - 1e-9, 1e-11], place * freedom)
    if expected is not None:
        assert exact == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert nearly == pytest.approx(exact, rel=1e-6, abs=1e-10)


def test_two_and_two_equal_weights_have_a_closed_form_far_out_in_the_tail() -> None:
    """a and b, each twice, are two exponentials: P = (a exp(-q/2a) - b exp(-q/2b)) / (a - b)."""
    for a, b in ((3.0, 1.0), (1.0, 0.999), (1.0, 1e-6)):
        for q in (0.1, 3.0, 40.0, 700.0, 5000.0):
            larger, smaller = np.log(a) - q / (2 * a), np.log(b) - q / (2 * b)
            expected = larger + np.log1p(-np.exp(smaller - larger)) - np.log(a - b)
            assert log_tail(np.array([a, a, b, b]), q) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_one_large_weight_among_many_small_ones() -> None:
    """Conditional on the large one, the rest is nearly constant: integrate over it by hand."""
    rest = np.full(1000, 1e-3)
    for q in (0.5, 2.0, 20.0):
        z, w = np.polynomial.legendre.leggauss(400)
        # x = q y^2 takes the root out of the density at zero.
        y = 0.5 * (z + 1)
        x = q * y**2
        inner = stats.chi2.sf((q - x) / 1e-3, 1000)
        density = np.exp(-x / 2) / np.sqrt(2 * np.pi) * 2 * np.sqrt(q)
        expected = 0.5 * (w * inner * density).sum() + special.chdtrc(1, q)
        assert np.exp(log_tail(np.r_[1.0, rest], q)) == pytest.approx(expected, rel=2e-4)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=10), st.floats(-200, -0.01))
@settings(max_examples=30)
def test_a_quantile_has_its_tail(weights: list[float], log_p: float) -> None:
    found = np.array(weights)
    assert log_tail(found, value_at_tail(found, log_p)) == pytest.approx(log_p, rel=1e-7, abs=1e-9)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=10).filter(lambda w: max(w) > 0), st.floats(1e-6, 1e4))
@settings(max_examples=60)
def test_a_tail_is_a_probability_and_falls(weights: list[float], value: float) -> None:
    found = np.array(weights)
    here, further = log_tail(found, value), log_tail(found, 1.1 * value)
    assert further <= here <= 1e-12


def test_weights_next_to_nothing_have_a_tail_of_nothing() -> None:
    assert log_tail(np.array([5e-324]), 1e4) == -np.inf
    assert log_tail(np.array([1e-300, 1e-320]), 1e4) < -1e300
