"""What is encrypted decrypts, in memory, as a stream and from any place in it; what was altered does not."""

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.crypt4gh import (
    AlteredError,
    MalformedFileError,
    NotARecipientError,
    PlainReader,
    add_recipients,
    decrypt,
    decrypt_stream,
    decrypt_with_data_key,
    encrypt,
    encrypt_stream,
    generate_data_key,
    make_header,
    parse_header,
    reencrypt,
    reencrypt_stream,
)
from nebula.crypt4gh.segments import (
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    SegmentCipher,
    plain_length,
    sealed_length,
)
from nebula.protocol.errors import NebulaError, RejectedInputError
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

OWNER, OTHER, STRANGER = SealingKey.generate(), SealingKey.generate(), SealingKey.generate()
PLAINTEXT = os.urandom(3 * SEGMENT_BYTES + 1234)
DATA_KEY = generate_data_key()
RAW = encrypt(PLAINTEXT, [OWNER.public_key], data_key=DATA_KEY)
HEADER_BYTES = parse_header(RAW).length_bytes

lengths = st.one_of(st.integers(0, 300), st.integers(SEGMENT_BYTES - 2, SEGMENT_BYTES + 2))
positions = st.one_of(
    st.integers(0, len(PLAINTEXT) + 10),
    st.builds(lambda n, d: max(0, n * SEGMENT_BYTES + d), st.integers(0, 4), st.integers(-2, 2)),
)


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time and cannot be sought in, as a socket would."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._content.read(min(size, 10_007))


def apply_by_hand(edits: list[int], content: bytes) -> bytes:
    """The specification's own algorithm, section 3.2, word for word."""
    if not edits:
        return content
    rest, output, pos = list(edits), b"", 0
    while rest:
        pos += rest.pop(0)
        if not rest:
            output += content[pos:]
        else:
            keep = rest.pop(0)
            output += content[pos : pos + keep]
            pos += keep
    return output


def edited(edits: list[int]) -> bytes:
    return make_header([OWNER.public_key], DATA_KEY, edits=edits) + RAW[HEADER_BYTES:]


@given(length=lengths)
@settings(max_examples=30, deadline=None)
def test_what_is_encrypted_decrypts_everywhere(length: int) -> None:
    plaintext = PLAINTEXT[:length]
    sink, back = io.BytesIO(), io.BytesIO()
    encrypted = encrypt_stream(Dribble(plaintext), sink, [OWNER.public_key])
    assert encrypted.plain_length_bytes == length
    assert decrypt_stream(Dribble(sink.getvalue()), back, OWNER) == length
    assert back.getvalue() == plaintext
    raw = encrypt(plaintext, [OWNER.public_key])
    assert len(raw) == len(sink.getvalue()) == HEADER_BYTES + sealed_length(length)
    assert decrypt(raw, OWNER) == decrypt(memoryview(raw), OWNER) == plaintext
    assert decrypt_with_data_key(sink.getvalue(), encrypted.data_key) == plaintext
    assert plain_length(sealed_length(length)) == length


def test_long_streams_keep_their_segments_across_pieces() -> None:
    plaintext = os.urandom(40 * SEGMENT_BYTES + 5)
    sink, back = io.BytesIO(), io.BytesIO()
    encrypt_stream(Dribble(plaintext), sink, [OWNER.public_key])
    decrypt_stream(io.BytesIO(sink.getvalue()), back, OWNER)
    assert back.getvalue() == plaintext == decrypt(sink.getvalue(), OWNER)


def test_memory_streams_as_a_file_does() -> None:
    plaintext = os.urandom(9 * SEGMENT_BYTES + 5)
    sink, back = io.BytesIO(), io.BytesIO()
    assert encrypt_stream(memoryview(plaintext), sink, [OWNER.public_key]).plain_length_bytes == len(plaintext)
    assert decrypt_stream(memoryview(sink.getvalue()), back, OWNER) == len(plaintext)
    assert back.getvalue() == plaintext


def test_no_two_files_and_no_two_segments_share_a_nonce_or_a_key() -> None:
    again = encrypt(PLAINTEXT, [OWNER.public_key])
    starts = range(0, len(RAW) - HEADER_BYTES, SEALED_SEGMENT_BYTES)
    nonces = [raw[HEADER_BYTES + at :][:12] for raw in (RAW, again) for at in starts]
    assert len(set(nonces)) == len(nonces)
    with pytest.raises(AlteredError):
        decrypt_with_data_key(again, DATA_KEY)


@given(start=positions, length=positions)
@settings(max_examples=150, deadline=None)
def test_random_access_equals_slicing(start: int, length: int) -> None:
    reader = PlainReader.open(io.BytesIO(RAW), OWNER)
    assert reader.length_bytes == len(PLAINTEXT)
    assert reader.read_range(start, length) == PLAINTEXT[start : start + length]
    keyed = PlainReader.open_with_data_key(io.BytesIO(RAW), DATA_KEY)
    assert keyed.read_range(start, length) == PLAINTEXT[start : start + length]


@given(edits=st.lists(st.one_of(positions, st.integers(0, 3)), max_size=9), start=positions, length=positions)
@settings(max_examples=150, deadline=None)
def test_edit_lists_follow_the_specification_wherever_one_reads(edits: list[int], start: int, length: int) -> None:
    expected = apply_by_hand(edits, PLAINTEXT)
    raw, sink = edited(edits), io.BytesIO()
    assert decrypt(raw, OWNER) == expected
    assert decrypt_stream(Dribble(raw), sink, OWNER) == len(expected)
    assert sink.getvalue() == expected
    reader = PlainReader.open(io.BytesIO(raw), OWNER)
    assert reader.read_range(start, length) == expected[start : start + length]


def test_the_specification_s_example_keeps_what_it_says() -> None:
    content = os.urandom(65536 + 327680 + 45624)
    data_key = generate_data_key()
    edits = [0, 7853, 71721, 307929, 51299, 38]
    raw = make_header([OWNER.public_key], data_key, edits=edits) + SegmentCipher([data_key]).seal_body(content)
    kept = content[:7853] + content[79574:387503] + content[-38:]
    assert decrypt(raw, OWNER) == kept


def test_a_huge_edit_list_entry_only_ends_the_file() -> None:
    assert decrypt(edited([2**64 - 1, 2**64 - 1]), OWNER) == b""
    assert decrypt(edited([5, 2**64 - 1]), OWNER) == PLAINTEXT[5:]


def test_a_plain_reader_is_a_seekable_file() -> None:
    reader = io.BufferedReader(PlainReader.open(io.BytesIO(RAW), OWNER))
    assert reader.read() == PLAINTEXT
    assert reader.seek(-5, io.SEEK_END) == len(PLAINTEXT) - 5
    assert reader.read() == PLAINTEXT[-5:]
    reader.seek(70_000)
    assert reader.read(10) == PLAINTEXT[70_000:70_010]
    with pytest.raises(ValueError, match="before the start"):
        PlainReader.open(io.BytesIO(RAW), OWNER).seek(-1)


def test_random_access_reads_only_the_segments_it_needs() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            self.taken += len(found)
            return found

    file = Counting(RAW)
    PlainReader.open(file, OWNER).read_range(2 * SEGMENT_BYTES + 7, 100)
    assert file.taken == HEADER_BYTES + SEALED_SEGMENT_BYTES


@given(at=st.one_of(st.integers(12, HEADER_BYTES - 1), st.integers(HEADER_BYTES, len(RAW) - 1)))
@settings(max_examples=150, deadline=None)
def test_any_flipped_byte_is_refused(at: int) -> None:
    broken = RAW[:at] + bytes([RAW[at] ^ 0x40]) + RAW[at + 1 :]
    with pytest.raises(NebulaError):
        decrypt(broken, OWNER)
    with pytest.raises(NebulaError):
        decrypt_stream(io.BytesIO(broken), io.BytesIO(), OWNER)


@pytest.mark.parametrize("at", range(12))
def test_a_wrong_magic_or_version_is_refused(at: int) -> None:
    with pytest.raises(MalformedFileError, match="Crypt4GH"):
        decrypt(RAW[:at] + bytes([RAW[at] ^ 1]) + RAW[at + 1 :], OWNER)


@given(raw=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_refused_with_a_typed_error(raw: bytes) -> None:
    for content in (raw, RAW[:12] + raw, RAW[:16] + raw):
        with pytest.raises(MalformedFileError):
            decrypt(content, OWNER)
        with pytest.raises(MalformedFileError):
            decrypt_stream(io.BytesIO(content), io.BytesIO(), OWNER)


@pytest.mark.parametrize("cut", [*range(1, 29), SEGMENT_BYTES])
def test_a_file_cut_inside_a_segment_is_refused(cut: int) -> None:
    raw = RAW[: HEADER_BYTES + SEALED_SEGMENT_BYTES + cut]
    with pytest.raises(NebulaError):
        decrypt(raw, OWNER)
    with pytest.raises(NebulaError):
        decrypt_stream(io.BytesIO(raw), io.BytesIO(), OWNER)


def test_a_stranger_is_no_recipient() -> None:
    with pytest.raises(NotARecipientError):
        decrypt(RAW, STRANGER)


def test_every_recipient_of_several_reads_the_file() -> None:
    raw = encrypt(PLAINTEXT, [STRANGER.public_key, OWNER.public_key, OTHER.public_key])
    assert decrypt(raw, OWNER) == decrypt(raw, OTHER) == PLAINTEXT


def test_a_rewritten_header_changes_readers_and_leaves_the_body() -> None:
    rewritten = reencrypt(RAW, OWNER, [OTHER.public_key])
    assert decrypt(rewritten, OTHER) == PLAINTEXT
    assert rewritten.endswith(RAW[HEADER_BYTES:])
    with pytest.raises(NotARecipientError):
        decrypt(rewritten, OWNER)
    with pytest.raises(NotARecipientError):
        reencrypt(RAW, STRANGER, [STRANGER.public_key])


def test_recipients_can_be_added_and_the_edit_list_goes_with_them() -> None:
    raw = add_recipients(edited([10, 20]), OWNER, [OTHER.public_key])
    assert decrypt(raw, OTHER) == decrypt(raw, OWNER) == PLAINTEXT[10:30]


def test_streams_are_rewritten_as_bytes_are() -> None:
    sink = io.BytesIO()
    reencrypt_stream(io.BytesIO(RAW), sink, OWNER, [OTHER.public_key], keep_others=True)
    assert decrypt(sink.getvalue(), OTHER) == decrypt(sink.getvalue(), OWNER) == PLAINTEXT


def test_a_file_needs_recipients_of_good_order() -> None:
    with pytest.raises(RejectedInputError, match="recipient"):
        encrypt(b"x", [])
    with pytest.raises(RejectedInputError, match="low order"):
        encrypt(b"x", [bytes(32)])
    with pytest.raises(RejectedInputError, match="32 bytes"):
        encrypt(b"x", [OWNER.public_key], data_key=SecretBytes(b"short"))
    with pytest.raises(RejectedInputError, match="at most"):
        encrypt(b"x", [OWNER.public_key] * 257)
