"""BCF 2.2: the header's dictionaries, and records written out as the lines of VCF that they stand for.

What comes out is read like any VCF: one checker for both, and the numbers of lines in errors are those of
``bcftools view``. Source: VCF specification 4.5, section 6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from nebula import _native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nebula.genome.inflate import Source

MAGIC = b"BCF\x02\x02"
OTHER_MAGIC = b"BCF"
_HINT = "write it again with `bcftools view -Ob`, or give the VCF"
_LINE = re.compile(r"##(FILTER|INFO|FORMAT|contig)=<ID=([^,>]+)")
_NUMBER = re.compile(r",IDX=(\d{1,9})[,>]")
_FLAG = re.compile(r"##INFO=<ID=([^,>]+),Number=[^,]*,Type=Flag[,>]")
_MOST_KEYS = 1 << 20
_LENGTHS = 8


def as_vcf(source: Source, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Turn the inflated pieces of a BCF into pieces of VCF: the header first, then whole lines.

    Raises:
        RejectedInputError: ``vcf.bcf`` with the record that breaks the format, ``vcf.truncated``.
    """
    buffer = _at_least(source, b"", pieces, len(MAGIC) + 4)
    if not buffer.startswith(MAGIC):
        source.refuse("bcf", "this is not BCF 2.2", hint=_HINT)
    size = int.from_bytes(buffer[len(MAGIC) : len(MAGIC) + 4], "little")
    if size > source.limits.header_bytes:
        source.refuse("header-too-long", f"the header has {size} bytes")
    start = len(MAGIC) + 4
    buffer = _at_least(source, buffer[start:], pieces, size)
    header, buffer = buffer[:size].rstrip(b"\x00"), buffer[size:]
    if b"\x00" in header:
        source.refuse("bcf", "the header goes on behind its end", hint=_HINT)
    yield header.rstrip(b"\n") + b"\n"
    lines = header.decode("utf-8", "replace").splitlines()
    yield from _records(source, _decoder(source, lines), buffer, pieces)


def _records(source: Source, decoder: _native.BcfDecoder, buffer: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        try:
            text, used = decoder.decode(buffer)
        except _native.ParseError as error:
            _, line, field, sentence = error.args
            source.refuse("bcf", f"line {line}, {field}: {sentence}", hint=_HINT)
        if text:
            yield text
        buffer = buffer[used:]
        more = next(pieces, b"")
        if not more:
            break
        # A record's bytes are waited for all together: joining them piece by piece would be quadratic.
        buffer = _at_least(source, buffer + more, pieces, _record_bytes(source, buffer + more))
    if buffer:
        _refuse_cut_off(source)


def _record_bytes(source: Source, buffer: bytes) -> int:
    """The size of the first record, or of its two lengths where even they are not there."""
    if len(buffer) < _LENGTHS:
        return _LENGTHS
    size = _LENGTHS + sum(int.from_bytes(buffer[start : start + 4], "little") for start in (0, 4))
    return min(size, _LENGTHS + source.limits.line_bytes)


def _decoder(source: Source, lines: list[str]) -> _native.BcfDecoder:
    strings, contigs = {0: "PASS"}, dict[int, str]()
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        names = contigs if match[1] == "contig" else strings
        stated = _NUMBER.search(line)
        number = int(stated[1]) if stated else _next_number(names, match[2])
        if number >= _MOST_KEYS or names.setdefault(number, match[2]) != match[2]:
            source.refuse("bcf", f"the header numbers {match[2][:40]!r} {number}, which is taken", hint=_HINT)
    flags = {match[1] for line in lines if (match := _FLAG.match(line))}
    samples = max(0, len(lines[-1].split("\t")) - 9) if lines else 0
    longest = source.limits.line_bytes
    return _native.BcfDecoder(_by_number(strings), _by_number(contigs), flags, samples, len(lines), longest)


def _next_number(names: dict[int, str], name: str) -> int:
    """Without IDX, a key's number is the order in which it comes first."""
    known = (number for number, known in names.items() if known == name)
    return next(known, max(names, default=-1) + 1)


def _by_number(names: dict[int, str]) -> list[str]:
    return [names.get(number, "") for number in range(max(names, default=-1) + 1)]


def _at_least(source: Source, buffer: bytes, pieces: Iterator[bytes], size: int) -> bytes:
    parts, have = [buffer], len(buffer)
    while have < size:
        more = next(pieces, b"")
        if not more:
            _refuse_cut_off(source)
        parts.append(more)
        have += len(more)
    return b"".join(parts)


def _refuse_cut_off(source: Source) -> NoReturn:
    source.refuse("truncated", "the file ends inside a record", hint="copy or download it again, whole")
