"""What a cell of a table says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.clinical.cells import has_value, kind_of, number_in


@pytest.mark.parametrize("cell", ["", ".", "-", "NA", "n/a", "NaN", "None", "NULL", "Unknown", "#REF!", "#DIV/0!"])
def test_what_says_nothing_is_no_value(cell: str) -> None:
    assert not has_value(cell)


@given(st.floats(min_value=-1e29, max_value=1e29))
def test_a_number_is_read_as_it_was_written(number: float) -> None:
    assert number_in(repr(number)) == number


@pytest.mark.parametrize("cell", ["1,5", "1 cm", "0x10", "inf", "nan", "1e31", "1e999", "--1", "1_000"])
def test_what_no_person_measures_is_no_number(cell: str) -> None:
    assert number_in(cell) is None


@given(st.text())
def test_a_cell_is_a_finite_number_or_none(cell: str) -> None:
    number = number_in(cell)
    assert number is None or math.isfinite(number)


def test_a_column_is_of_numbers_where_nine_tenths_of_its_values_are() -> None:
    assert kind_of(["1"] * 9 + ["tall"]) == "number"
    assert kind_of(["1"] * 8 + ["tall"] * 2) == "category"
    assert kind_of(["1", "", "NA", "#REF!"]) == "number"
    assert kind_of(["", "NA"]) == "category"
