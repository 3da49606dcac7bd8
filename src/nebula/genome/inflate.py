"""Bytes of a file that may be compressed, in bounded pieces.

SECURITY: the file is anyone's. A compressed file must end where it says it does, match its checksums and
stay below a limit once inflated; what is behind its end is refused, not ignored.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from nebula import _native
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int], None]

GZIP_MAGIC = b"\x1f\x8b"
#: Small enough that what a piece becomes is read while it is still in the processor's cache.
_PIECE = 1 << 18
_LARGEST_BLOCK = 1 << 16
_READ_ON = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask of us: sizes in bytes, once inflated."""

    inflated_bytes: int = 1 << 40
    header_bytes: int = 1 << 26
    line_bytes: int = 1 << 27
    samples: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """An open binary file, the name to call it by in errors, and who wants to know how far we are.

    Attributes:
        kind: first part of error codes, such as ``vcf``.
        progress: called with the bytes read so far, as they stand in the file.
    """

    file: BinaryIO
    name: str = "the file"
    kind: str = "genome"
    limits: Limits = Limits()
    progress: Progress | None = None

    def refuse(self, code: str, sentence: str, *, hint: str | None = None) -> NoReturn:
        """Refuse the file.

        Raises:
            RejectedInputError: always.
        """
        raise RejectedInputError(f"{self.kind}.{code}", f"{self.name}: {sentence}", hint=hint)

    def share_read(self) -> float | None:
        """How much of the file was read so far, above 0 and up to 1; None where nobody knows how long it is."""
        try:
            size, read = os.fstat(self.file.fileno()).st_size, self.file.tell()
        except OSError:
            return None
        return read / size if 0 < read <= size else None

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, inflated where it is gzip or BGZF.

        Raises:
            RejectedInputError: ``truncated``, ``damaged``, ``too-large`` or ``empty``.
        """
        total = 0
        for piece in self._inflated():
            total += len(piece)
            if total > self.limits.inflated_bytes:
                self.refuse("too-large", f"more than {self.limits.inflated_bytes} bytes once inflated")
            if piece:
                yield piece
        if total == 0:
            self.refuse("empty", "the file is empty", hint="export or download it again")

    @staticmethod
    def read_on(pieces: Iterator[bytes]) -> None:
        """Read on, up to a gigabyte, where content is wrong: gzip says only at its end that a file is damaged.

        Raises:
            RejectedInputError: as ``pieces``.
        """
        left = _READ_ON
        while left > 0 and (piece := next(pieces, b"")):
            left -= len(piece)

    def lines(self) -> Iterator[str]:
        """Yield the lines of a text in UTF-8, without their ends; the mark that some editors begin it with is none.

        Raises:
            RejectedInputError: as ``pieces``, and ``line`` or ``text``, with the line.
        """
        for number, line in self.byte_lines(longest=self.limits.line_bytes, code="line"):
            yield self._decoded(number, line)

    def byte_lines(self, *, longest: int, code: str) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of any text, without their line feeds, each with its number, from 1.

        Raises:
            RejectedInputError: as ``pieces``, and ``code`` for a line of more than ``longest`` bytes.
        """
        number, rest = 1, b""
        for piece in self.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield number, line
                number += 1
            if len(rest) > longest:
                self.refuse(code, f"line {number} is longer than {longest:,} bytes")
        if rest:
            yield number, rest

    def _decoded(self, number: int, line: bytes) -> str:
        try:
            return line.removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            self.refuse("text", f"line {number}: it is not text in UTF-8", hint="save the file as UTF-8")

    def _raw(self) -> Iterator[bytes]:
        total = 0
        while raw := self.file.read(_PIECE):
            total += len(raw)
            yield raw
            if self.progress is not None:
                self.progress(total)

    def _inflated(self) -> Iterator[bytes]:
        raw = self._raw()
        first = next(raw, b"")
        while len(first) < 18 and (more := next(raw, b"")):  # noqa: PLR2004 - a BGZF block's header
            first += more
        if not first.startswith(GZIP_MAGIC):
            yield first
            yield from raw
        elif _block_size(first) is None:
            yield from self._members(first, raw)
        else:
            yield from self._blocks(first, raw)

    def _blocks(self, buffer: bytes, raw: Iterator[bytes]) -> Iterator[bytes]:
        """BGZF: blocks that say their size; the last one is a given empty block."""
        ended = False
        while buffer:
            try:
                inflated, used, last = _native.inflate_blocks(buffer)
            except ValueError as error:
                self._refuse_damaged(error)
            if used:
                ended, buffer = last, buffer[used:]
                yield inflated
            more = next(raw, b"") if len(buffer) < _LARGEST_BLOCK else b""
            if buffer and not (used or more):
                self._refuse_rest(buffer)
            buffer += more
        if not ended:
            self._refuse_truncated("its last block is missing")

    def _members(self, buffer: bytes, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Plain gzip: any number of members, one behind the other."""
        inflater = zlib.decompressobj(wbits=31)
        while True:
            try:
                piece = inflater.decompress(buffer, _PIECE)
            except zlib.error as error:
                self._refuse_damaged(error)
            yield piece
            buffer = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            # Nothing left to feed and nothing came out: only more of the file can help.
            if not buffer and (inflater.eof or len(piece) < _PIECE):
                buffer = next(raw, b"")
                if not buffer:
                    break
            if inflater.eof:
                if len(buffer) < len(GZIP_MAGIC):
                    buffer += next(raw, b"")
                if not buffer.startswith(GZIP_MAGIC):
                    self._refuse_rest(buffer)
                inflater = zlib.decompressobj(wbits=31)
        if not inflater.eof:
            self._refuse_truncated("its compressed data stops in the middle")

    def _refuse_rest(self, rest: bytes) -> NoReturn:
        if rest.startswith(GZIP_MAGIC) or GZIP_MAGIC.startswith(rest):
            self._refuse_truncated("its compressed data stops in the middle")
        self._refuse_damaged("there are other bytes behind the compressed data")

    def _refuse_truncated(self, sentence: str) -> NoReturn:
        self.refuse("truncated", f"the file is cut off: {sentence}", hint="copy or download it again, whole")

    def _refuse_damaged(self, problem: object) -> NoReturn:
        self.refuse("damaged", f"the compressed data is damaged: {problem}", hint="copy or download it again")


def _block_size(buffer: bytes) -> int | None:
    """The size of the BGZF block that begins so, or None where there is no whole header of one."""
    head = buffer[:12]
    if len(head) < 12 or head[:4] != b"\x1f\x8b\x08\x04":  # noqa: PLR2004 - fixed part of the header
        return None
    extra = buffer[12 : 12 + int.from_bytes(head[10:12], "little")]
    while len(extra) >= 6:  # noqa: PLR2004 - two letters, a length and a value of two bytes each
        length = int.from_bytes(extra[2:4], "little")
        if extra[:2] == b"BC" and length == 2:  # noqa: PLR2004
            return int.from_bytes(extra[4:6], "little") + 1
        extra = extra[4 + length :]
    return None
