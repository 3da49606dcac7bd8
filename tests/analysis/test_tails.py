import numpy as np
import pytest
from scipy import stats

from nebula.analysis import tails
from nebula.analysis.tails import neg_log10_two_sided_t


def test_a_p_value_is_that_of_students_t() -> None:
    t = np.array([0.0, -1.0, 3.5, 12.0, -36.0])
    freedom = np.array([3, 10, 200, 2500, 2500])
    expected = -np.log10(2 * stats.t.sf(np.abs(t), freedom))
    assert neg_log10_two_sided_t(t, freedom) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("freedom", [30, 300, 2500, 100_000, 10_000_000])
def test_the_deep_tail_continues_the_shallow_one(freedom: int) -> None:
    t = np.sqrt(freedom * np.expm1(np.linspace(100, 600, 40) / freedom))
    squared, freedoms = t**2, np.full(40, float(freedom))
    deep = -tails._log10_incomplete_beta(freedoms / 2, 0.5, squared, freedoms)
    assert deep == pytest.approx(neg_log10_two_sided_t(t, freedoms), rel=1e-8)


def test_p_values_far_below_the_smallest_double_stay_finite_and_ordered() -> None:
    t = np.array([30.0, 60, 200, 1e4, 1e8])
    found = neg_log10_two_sided_t(t, np.full(5, 5000))
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    # For huge t the density's tail is a power law: p ~ t^-v.
    assert found[4] - found[3] == pytest.approx(5000 * 4, rel=1e-4)


def test_what_is_no_statistic_has_no_p() -> None:
    assert np.isnan(neg_log10_two_sided_t(np.array([np.nan, 2.0]), np.array([10, 0]))).all()


def test_a_statistic_beyond_all_numbers_has_the_smallest_p_of_all() -> None:
    found = neg_log10_two_sided_t(np.array([np.inf, -np.inf, np.inf]), np.array([10, 1, 0]))
    assert found[:2].tolist() == [np.inf, np.inf]
    assert np.isnan(found[2])
