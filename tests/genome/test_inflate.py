import gzip
import io
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused
from nebula.genome.inflate import Limits, Source
from nebula.protocol.errors import RejectedInputError

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def bgzf(content: bytes, block: int = 60_000) -> bytes:
    out = b""
    for start in range(0, len(content), block):
        part = content[start : start + block]
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflater.compress(part) + deflater.flush()
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
        tail = zlib.crc32(part).to_bytes(4, "little") + len(part).to_bytes(4, "little")
        out += head + (len(head) + 2 + len(body) + len(tail) - 1).to_bytes(2, "little") + body + tail
    return out + BGZF_END


def inflate(raw: bytes, limits: Limits | None = None) -> bytes:
    return b"".join(Source(io.BytesIO(raw), limits=limits or Limits()).pieces())


def refusal(raw: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(RejectedInputError) as caught:
        inflate(raw, limits)
    return caught.value.code


@given(st.binary(min_size=1, max_size=5000), st.integers(1, 700))
def test_every_container_gives_back_its_content(content: bytes, block: int) -> None:
    assert inflate(bgzf(content, block)) == content
    assert inflate(gzip.compress(content)) == content
    assert inflate(gzip.compress(content[:7]) + gzip.compress(content[7:])) == content


def test_large_files_come_in_bounded_pieces() -> None:
    content = bytes(range(256)) * 40_000
    pieces = list(Source(io.BytesIO(gzip.compress(content))).pieces())
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1 << 20


@given(st.integers(1, 200))
def test_a_file_that_is_cut_off_is_refused(missing: int) -> None:
    content = b"some lines of text\n" * 100
    for raw in (bgzf(content, 500), gzip.compress(content)):
        assert refusal(raw[: max(2, len(raw) - missing)]) in {"genome.truncated", "genome.damaged"}


def test_a_missing_last_block_is_a_cut() -> None:
    assert refusal(bgzf(b"text" * 100)[: -len(BGZF_END)]) == "genome.truncated"


@pytest.mark.parametrize("make", [bgzf, gzip.compress])
def test_a_flipped_byte_is_refused(make: object) -> None:
    raw = bytearray(make(b"the quick brown fox" * 50))  # type: ignore[operator]
    raw[len(raw) // 3] ^= 0x20
    assert refusal(bytes(raw)) in {"genome.damaged", "genome.truncated"}


def test_bytes_behind_the_end_are_refused() -> None:
    assert refusal(gzip.compress(b"text") + b"more") == "genome.damaged"
    assert refusal(bgzf(b"text") + b"more") == "genome.damaged"


def test_a_bomb_stops_at_the_limit() -> None:
    limits = Limits(inflated_bytes=1 << 20)
    assert refusal(gzip.compress(bytes(1 << 24)), limits) == "genome.too-large"
    assert refusal(bgzf(bytes(1 << 22)), limits) == "genome.too-large"


def test_a_block_larger_than_the_format_allows_is_refused() -> None:
    assert refusal(bgzf(bytes(1 << 20), 1 << 20)) == "genome.damaged"


def test_nothing_is_refused_as_empty() -> None:
    assert refusal(b"") == refusal(gzip.compress(b"")) == refusal(BGZF_END) == "genome.empty"


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_magic_are_refused_or_read(tail: bytes) -> None:
    for head in (b"\x1f\x8b", b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"):
        error = refused(lambda head=head: inflate(head + tail))
        assert error is None or error.code.startswith("genome.")


def test_progress_counts_the_bytes_of_the_file() -> None:
    seen: list[int] = []
    raw = gzip.compress(bytes(range(256)) * 1000)
    list(Source(io.BytesIO(raw), progress=seen.append).pieces())
    assert seen[-1] == len(raw)


def test_how_much_was_read_is_known_of_a_file_on_disk_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 1_000_000)
    with path.open("rb") as file:
        source = Source(file)
        assert source.share_read() is None
        next(source.pieces())
        assert source.share_read() == (1 << 18) / 1_000_000
        list(source.pieces())
        assert source.share_read() == 1
    in_memory = Source(io.BytesIO(b"a"))
    list(in_memory.pieces())
    assert in_memory.share_read() is None
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        os.write(writing, b"a")
        os.close(writing)
        piped = Source(pipe)
        list(piped.pieces())
        assert piped.share_read() is None
