import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.wire import MAX_DOCUMENT_BYTES, Document, parser, to_canonical


class Note(Document, frozen=True, kw_only=True):
    """A document for the tests."""

    number: int
    text: str = ""
    raw: bytes = b""
    names: dict[str, int] = msgspec.field(default_factory=dict)


parse = parser(Note)
notes = st.builds(
    Note,
    number=st.integers(-(2**63), 2**63 - 1),
    text=st.text(),
    raw=st.binary(),
    names=st.dictionaries(st.text(), st.integers(0, 9)),
)


@given(notes)
def test_documents_survive_their_canonical_bytes(note: Note) -> None:
    assert parse(to_canonical(note)) == note


@given(notes)
def test_equal_documents_have_equal_bytes_whatever_the_order_of_their_keys(note: Note) -> None:
    shuffled = msgspec.structs.replace(note, names=dict(reversed(list(note.names.items()))))
    assert to_canonical(shuffled) == to_canonical(note)


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(raw: bytes) -> None:
    with contextlib.suppress(RejectedInputError):
        assert isinstance(parse(raw), Note)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"number":1,"surprise":2}',
        b'{"number":"1"}',
        b'{"number":1.5}',
        b'{"number":true}',
        b'{"text":"x"}',
        b'{"number":1}x',
        b"[" * 100_000,
        b'{"number":1,"text":"\xff"}',
        b'{"number":1,"raw":"not base64!"}',
    ],
)
def test_what_is_not_exactly_the_document_is_refused(raw: bytes) -> None:
    with pytest.raises(RejectedInputError) as refused:
        parse(raw)
    assert refused.value.code == "wire.malformed"


def test_the_error_names_the_field() -> None:
    with pytest.raises(RejectedInputError, match=r"\$\.number"):
        parse(b'{"number":"1"}')


def test_oversize_bytes_are_refused_unread() -> None:
    with pytest.raises(RejectedInputError) as refused:
        parse(b"x" * (MAX_DOCUMENT_BYTES + 1))
    assert refused.value.code == "wire.too-large"
