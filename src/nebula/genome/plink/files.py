"""The three files of a PLINK file set, and the lines of those two that are text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nebula.genome.inflate import GZIP_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nebula.genome.inflate import Source

KIND = "plink"
MAGIC = b"\x6c\x1b"
_LONGEST_LINE = 1 << 20
_FIELDS = 6


class PlinkFiles(NamedTuple):
    """The open files of one set; the kind of all three sources is ``plink``."""

    bed: Source
    bim: Source
    fam: Source


def lines_of(source: Source) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the number and the six fields of each line, cut at blanks.

    SECURITY: the file is anyone's. Every line has six fields and a bounded length.

    Raises:
        RejectedInputError: ``plink.fields``, ``plink.line-too-long``, ``plink.empty`` with file and line.
    """
    number, rest = 0, b""
    for piece in source.pieces():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            number += 1
            yield number, _fields(source, number, line)
        if len(rest) > _LONGEST_LINE:
            source.refuse("line-too-long", f"line {number + 1} is longer than {_LONGEST_LINE} bytes")
    if rest:
        yield number + 1, _fields(source, number + 1, rest)


def _fields(source: Source, number: int, line: bytes) -> list[bytes]:
    fields = line.split()
    if len(fields) != _FIELDS:
        source.refuse("fields", f"line {number} has {len(fields)} fields, not six", hint=_hint_of(line))
    return fields


def _hint_of(line: bytes) -> str:
    if line.startswith((GZIP_MAGIC, b"(\xb5/\xfd")):
        return "unpack it first"
    if line.startswith(b"#"):
        return "it is of PLINK 2: `plink2 --pfile NAME --make-bed --out NAME` makes a .bed, .bim and .fam"
    return "write the set again: `plink2 --bfile NAME --make-bed --out NEW`"
