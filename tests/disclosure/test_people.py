"""One noised count: its scale, its price, and what is told of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.disclosure.floors import MINIMUM_CELL
from nebula.disclosure.people import least_told, people_noise_scale, tell_people


def test_the_noise_is_unbiased_and_of_the_scale_that_the_budget_buys() -> None:
    drawn = [tell_people(10_000, 5_000).people for _ in range(2_000)]
    values = np.array(drawn, dtype=float)
    assert people_noise_scale(5_000) == pytest.approx(10.0)
    assert abs(values.mean() - 10_000) < 6 * 10 / np.sqrt(len(values))
    assert values.std() == pytest.approx(10.0, rel=0.15)
    assert all(isinstance(one, int) for one in drawn)


def test_nobody_is_rarely_taken_for_somebody() -> None:
    assert sum(tell_people(0, 5_000).exists for _ in range(2_000)) <= 20  # about one in a thousand


@given(people=st.integers(0, 10**6), micro_rho=st.integers(100, 1_000_000))
def test_what_is_told_is_never_below_the_least(people: int, micro_rho: int) -> None:
    told = tell_people(people, micro_rho)
    assert told.least_told == least_told(micro_rho) >= MINIMUM_CELL
    assert told.people is None or told.people >= told.least_told
    assert told.exists == (told.people is not None)


@given(one=st.integers(100, 1_000_000), other=st.integers(100, 1_000_000))
def test_less_budget_is_more_noise_and_a_higher_threshold(one: int, other: int) -> None:
    smaller, larger = sorted((one, other))
    assert people_noise_scale(smaller) >= people_noise_scale(larger)
    assert least_told(smaller) >= least_told(larger)


@pytest.mark.parametrize(("people", "micro_rho"), [(5, 0), (5, -1), (-1, 5_000)])
def test_what_makes_no_sense_is_refused(people: int, micro_rho: int) -> None:
    with pytest.raises(ValueError, match="noise is bought"):
        tell_people(people, micro_rho)
