import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32, begins, parse_address, parse_hash, to_bytes, to_hex


@given(st.binary(min_size=20, max_size=20))
def test_an_address_is_read_in_any_case_and_kept_in_one(raw: bytes) -> None:
    text = to_hex(raw)
    assert parse_address("0x" + raw.hex().upper()) == parse_address(f" {text} ") == text
    assert to_bytes(text) == raw
    assert msgspec.convert(text, Address) == text


@given(st.binary(min_size=32, max_size=32))
def test_a_hash_is_read_in_any_case_and_kept_in_one(raw: bytes) -> None:
    assert parse_hash("0X" + raw.hex().upper()) == to_hex(raw)
    assert msgspec.convert(to_hex(raw), Hash32) == to_hex(raw)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 64))
def test_an_identifier_is_known_by_its_beginning_however_it_is_typed(raw: bytes, length: int) -> None:
    typed = raw.hex()[:length]
    for wanted in (typed, typed.upper(), f"0x{typed}", f"0X{typed.upper()}", f" {typed} "):
        assert begins(to_hex(raw), wanted)
    other = "1" if typed.startswith("0") else "0"
    assert not begins(to_hex(raw), other + typed[1:])


@pytest.mark.parametrize(
    "text", ["", "0x", "00" * 20, "0x" + "0g" * 20, "0x" + "00" * 19, "0x" + "00" * 21, "0x 0" + "0" * 38]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RejectedInputError) as refused:
        parse_address(text)
    assert refused.value.code == "id.address"


@pytest.mark.parametrize("text", ["0x" + "0A" * 20, "0x" + "00" * 20 + "\n", "0x" + "00" * 19, "00" * 20])
def test_the_wire_knows_one_form_of_each_address(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Address)
