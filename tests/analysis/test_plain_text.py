import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.plain_text import decimal_number, text_lines


def test_only_line_feeds_end_lines() -> None:
    assert text_lines("\ufeffa\r\nb\u2028c\x85\x0bd\n\ne") == ["a", "b\u2028c\x85\x0bd", "", "e"]
    assert text_lines("") == []
    assert text_lines("a\n") == ["a"]


@pytest.mark.parametrize("text", ["1_0", "0x10", "\u0661", "1,5", "", " 1", "1\n", ".", "e5", "nan", "Infinity", "--1"])
def test_what_is_no_decimal_number_is_none(text: str) -> None:
    assert math.isnan(decimal_number(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back(value: float) -> None:
    assert decimal_number(repr(value)) == value


@pytest.mark.parametrize(("text", "value"), [(".5", 0.5), ("+1.", 1.0), ("-2E-3", -0.002), ("1e400", math.inf)])
def test_a_number_may_be_spelt_in_short(text: str, value: float) -> None:
    assert decimal_number(text) == value
