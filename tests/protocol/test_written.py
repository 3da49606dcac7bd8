"""What people write by hand is read, or refused by name, whatever stands in it."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.wire import Document
from nebula.protocol.written import parse_written

MOST_BYTES = 1 << 15


class Wish(Document, frozen=True, kw_only=True):
    name: str
    days: int = 1


def test_toml_is_read_and_json_where_the_name_says_so() -> None:
    for raw, name in ((b'name = "a"\ndays = 3', "wish.toml"), (b'{"name": "a", "days": 3}', "wish.json")):
        assert parse_written(raw, name, Wish, code="wish.file", most_bytes=MOST_BYTES) == Wish(name="a", days=3)


@pytest.mark.parametrize("name", ["wish.toml", "wish.json"])
@pytest.mark.parametrize(
    "raw",
    [
        b"days",
        b'name = "a"\nyears = 3',
        b'{"name": "a", "years": 3}',
        b'name = "a"\ndays = ' + b"9" * 5000,
        b'{"name": "a", "days": ' + b"9" * 5000 + b"}",
        b"name = " + b"[" * 5000 + b"]" * 5000,
        b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"\xff",
        b"#" * (MOST_BYTES + 1),
    ],
)
def test_what_is_neither_is_refused_by_the_files_name(raw: bytes, name: str) -> None:
    with pytest.raises(RejectedInputError, match=r"^wish\.(toml|json)") as refusal:
        parse_written(raw, name, Wish, code="wish.file", most_bytes=MOST_BYTES)
    assert refusal.value.code == "wish.file"


def test_what_the_library_says_of_itself_is_not_told() -> None:
    with pytest.raises(RejectedInputError, match="thousands of digits") as refusal:
        parse_written(b"days = " + b"9" * 5000, "wish.toml", Wish, code="wish.file", most_bytes=MOST_BYTES)
    assert refusal.value.hint is None


@given(st.binary(max_size=200), st.sampled_from(["a.toml", "a.json"]))
def test_any_bytes_are_a_document_or_are_refused(raw: bytes, name: str) -> None:
    with contextlib.suppress(RejectedInputError):
        assert msgspec.to_builtins(parse_written(raw, name, Wish, code="wish.file", most_bytes=MOST_BYTES))
