import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.money import MAX_WEI, TOKEN_WEI, Wei, format_tokens, parse_tokens, wei_from_wire, wei_to_wire

amounts = st.integers(0, MAX_WEI)


@given(amounts)
def test_an_amount_survives_being_written_for_people_exactly(amount: int) -> None:
    assert parse_tokens(format_tokens(amount).replace(",", "")) == amount


@given(amounts)
def test_an_amount_survives_the_wire_exactly(amount: int) -> None:
    raw = msgspec.json.encode(wei_to_wire(amount))
    assert wei_from_wire(msgspec.json.decode(raw, type=Wei)) == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("2", 2 * TOKEN_WEI), ("0.25", TOKEN_WEI // 4), (" 1 ", TOKEN_WEI), ("0", 0)]
)
def test_tokens_are_written_as_people_write_them(text: str, amount: int) -> None:
    assert parse_tokens(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1e3", ".5", "1.", "1,000", "0x1", "\u0661", "0." + "1" * 19, "9" * 22, "340282366920938463464", "nan"],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(RejectedInputError) as refused:
        parse_tokens(text)
    assert refused.value.code == "money.amount"


@pytest.mark.parametrize("raw", ["-1", "01", "", "1.0", "+1", " 1", "9" * 40])
def test_the_wire_knows_one_form_of_each_amount(raw: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw, Wei)


def test_no_amount_exceeds_what_the_ledger_holds() -> None:
    assert wei_from_wire(str(MAX_WEI)) == MAX_WEI
    with pytest.raises(RejectedInputError):
        wei_from_wire(str(MAX_WEI + 1))
    for amount in (-1, MAX_WEI + 1):
        with pytest.raises(RejectedInputError):
            wei_to_wire(amount)


def test_thousands_are_grouped_and_trailing_zeros_left_out() -> None:
    assert format_tokens(1_234_567 * TOKEN_WEI + TOKEN_WEI // 2) == "1,234,567.5"
    assert format_tokens(-TOKEN_WEI) == "-1"
