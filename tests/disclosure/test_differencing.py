import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.disclosure.differencing import check_differencing, cohort_members, difference
from nebula.protocol.errors import NotPermittedError

KEY = bytes(range(32))


def people(numbers: range | set[int]) -> np.ndarray:
    return cohort_members((number.to_bytes(20, "big") for number in numbers), KEY)


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_the_difference_is_that_of_sets_and_the_same_both_ways(one: set[int], other: set[int]) -> None:
    assert difference(people(one), people(other)) == len(one ^ other)
    assert difference(people(other), people(one)) == len(one ^ other)


@pytest.mark.parametrize("left_out", range(12))
def test_a_cohort_less_a_few_people_is_refused(left_out: int) -> None:
    earlier = [people(range(1000, 1300)), people(range(500))]
    if 1 <= left_out <= 9:
        with pytest.raises(NotPermittedError) as refusal:
            check_differencing(people(range(left_out, 500)), earlier)
        assert refusal.value.code == "disclosure.differencing"
    else:
        check_differencing(people(range(left_out, 500)), earlier)


def test_swapping_a_few_people_is_no_way_round() -> None:
    with pytest.raises(NotPermittedError):
        check_differencing(people(range(4, 504)), [people(range(500))])


@pytest.mark.parametrize("minimum", [-10, 0, 1, 9])
def test_the_minimum_can_be_raised_but_not_lowered(minimum: int) -> None:
    with pytest.raises(NotPermittedError):
        check_differencing(people(range(1, 500)), [people(range(500))], minimum)
    with pytest.raises(NotPermittedError):
        check_differencing(people(range(30, 500)), [people(range(500))], 50)


def test_members_are_told_apart_only_with_the_key() -> None:
    other = cohort_members((number.to_bytes(20, "big") for number in range(100)), bytes(32))
    assert difference(people(range(100)), other) == 200
    with pytest.raises(ValueError, match="16 to 64"):
        cohort_members([b"record"], b"short")
