"""The three files of a PLINK file set, and the lines of those two that are text.

PLINK 1 writes six columns without names: ``.bim`` and ``.fam``. PLINK 2 writes a line of names before them, ``#CHROM``
or ``#FID`` or ``#IID``, behind any number of ``##`` lines: ``.pvar`` and ``.psam``. Where that line is missing, PLINK 2
too takes a file for one of the former, and so do we.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nebula.genome.inflate import GZIP_MAGIC

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from nebula.genome.inflate import Source

KIND = "plink"
MAGIC = b"\x6c\x1b"
_LONGEST_LINE = 1 << 20
_ZSTANDARD_MAGIC = b"(\xb5/\xfd"


class PlinkFiles(NamedTuple):
    """The open files of one set, of PLINK 1 or PLINK 2; the kind of all three sources is ``plink``."""

    genotypes: Source
    sites: Source
    people: Source


class Line(NamedTuple):
    """One line's number, counted from 1, and those of its fields that were asked for; None where the file has none."""

    number: int
    fields: list[bytes | None]


def lines_of(
    source: Source, wanted: Sequence[bytes], *, unnamed: Sequence[bytes], optional: Collection[bytes] = ()
) -> Iterator[Line]:
    """Yield some fields of each line, cut at blanks.

    SECURITY: the file is anyone's. Every line has as many fields as there are columns, and a bounded length.

    Args:
        source: the file.
        wanted: names of columns, in the order in which their fields are wanted.
        unnamed: the columns of a file that does not name its own.
        optional: those of ``wanted`` that a file need not have.

    Raises:
        RejectedInputError: ``plink.fields``, ``plink.columns``, ``plink.line-too-long``, ``plink.empty`` with file and
            line.
    """
    columns, begun = list(unnamed), False
    places: list[int | None] = [unnamed.index(name) if name in unnamed else None for name in wanted]
    for number, line in source.byte_lines(longest=_LONGEST_LINE, code="line-too-long"):
        if not begun and line.startswith(b"##"):
            continue
        if not begun and line.startswith(b"#"):
            columns = _names(source, number, line, needed=[name for name in wanted if name not in optional])
            places = [columns.index(name) if name in columns else None for name in wanted]
            begun = True
            continue
        begun = True
        fields = line.split()
        if len(fields) != len(columns):
            source.refuse("fields", f"line {number} has {len(fields)} fields, not {len(columns)}", hint=_hint_of(line))
        yield Line(number, [None if place is None else fields[place] for place in places])


def _names(source: Source, number: int, line: bytes, *, needed: Sequence[bytes]) -> list[bytes]:
    names = line.removeprefix(b"#").split()
    missing = next((name for name in needed if name not in names), None)
    if missing is not None or len(set(names)) < len(names):
        what = "names a column twice" if missing is None else f"names no column {missing.decode()}"
        source.refuse("columns", f"line {number} {what}", hint="write the set again: `plink2 --pfile NAME --make-pgen`")
    return names


def _hint_of(line: bytes) -> str:
    if line.startswith((GZIP_MAGIC, _ZSTANDARD_MAGIC)):
        return "unpack it first"
    return "write the set again: `plink2 --bfile NAME --make-bed --out NEW`, or `--pfile` and `--make-pgen`"
