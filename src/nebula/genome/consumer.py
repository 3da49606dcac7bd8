"""23andMe's text: rsid, chromosome, position, genotype, between tabs.

The letters are bases on the plus strand, ``I`` and ``D`` for insertions and deletions, ``-`` for no call; one
letter where there is one copy (X and Y of men, MT). A file has no reference alleles: only on a panel, whose
sites have REF and ALT, does a genotype become a code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.chromosomes import assembly_by_name, chromosome_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

_COLUMNS = ["rsid", "chromosome", "position", "genotype"]
_LETTERS = frozenset("ACGTID-")
_LONGEST_LINE = 1 << 16
_MOST_MARKERS = 20_000_000
_LONGEST_POS = 1 << 28
#: What the file is said to be on where its header does not say: all of 23andMe's since version 3.
_USUAL_ASSEMBLY = "GRCh37"
_HINT = "give the raw data file as 23andMe exports it, unchanged"


@dataclass(frozen=True, slots=True, eq=False)
class ConsumerFile:
    """Markers in the file's order.

    Attributes:
        stated_assembly: what the header says, or what these files usually are on.
        chromosome: VariantKey codes (markers,).
        pos: 1-based (markers,).
        first: ASCII of the first letter (markers,): A, C, G, T, I, D, or ``-``.
        second: of the second; 0 where there is one copy.
    """

    stated_assembly: str
    chromosome: NDArray[np.int64]
    pos: NDArray[np.int64]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]

    @property
    def markers(self) -> int:
        """Number of markers."""
        return len(self.pos)

    def called(self) -> NDArray[np.bool_]:
        """Which markers have bases: neither no-calls nor insertions and deletions."""
        base = np.frombuffer(b"ACGT", np.uint8)
        called: NDArray[np.bool_] = np.isin(self.first, base) & (np.isin(self.second, base) | (self.second == 0))
        return called


def looks_like_consumer_file(start: bytes) -> bool:
    """Whether a file that begins so is to be read as consumer text."""
    if start.startswith(b"##"):
        return False
    lines = start[: 1 << 16].decode("latin-1").splitlines()
    return any(_is_heading(line) for line in lines) or "23andMe" in start[:4096].decode("latin-1")


def _is_heading(line: str) -> bool:
    return line.lstrip("# ").rstrip().split("\t") == _COLUMNS


def read_consumer(source: Source, pieces: Iterator[bytes] | None = None) -> ConsumerFile:
    """Read a 23andMe file, strictly.

    Raises:
        RejectedInputError: ``consumer.*`` with the line and the rule.
    """
    comments: list[str] = []
    chromosome: list[int] = []
    pos: list[int] = []
    letters = bytearray()
    for number, line in enumerate(_lines(source, pieces), start=1):
        if line.startswith("#") or _is_heading(line):
            comments.append(line)
            continue
        fields = line.split("\t")
        if len(fields) != len(_COLUMNS):
            sentence = f"line {number}: {len(fields)} columns between tabs where {len(_COLUMNS)} belong"
            source.refuse("columns", sentence, hint=_HINT)
        chromosome.append(_chromosome(source, number, fields[1]))
        pos.append(_position(source, number, fields[2]))
        letters += _genotype(source, number, fields[3])
        if len(pos) > _MOST_MARKERS:
            source.refuse("too-large", f"more than {_MOST_MARKERS} markers")
    if not any(_is_heading(line) for line in comments):
        source.refuse("columns", f"no line names the columns {', '.join(_COLUMNS)}", hint=_HINT)
    if not pos:
        source.refuse("empty", "the file has no marker", hint=_HINT)
    pairs = np.frombuffer(bytes(letters), np.uint8).reshape(-1, 2)
    stated = assembly_by_name("\n".join(comments)) or _USUAL_ASSEMBLY
    return ConsumerFile(stated, np.array(chromosome), np.array(pos), pairs[:, 0].copy(), pairs[:, 1].copy())


def _lines(source: Source, pieces: Iterator[bytes] | None) -> Iterator[str]:
    rest = b""
    for piece in source.pieces() if pieces is None else pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST_LINE or any(len(line) > _LONGEST_LINE for line in lines):
            source.refuse("line-too-long", f"a line is longer than {_LONGEST_LINE} bytes", hint=_HINT)
        yield from (_text(source, line) for line in lines)
    if rest:
        yield _text(source, rest)


def _text(source: Source, line: bytes) -> str:
    try:
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        source.refuse("encoding", "the file is not text", hint=_HINT)


def _chromosome(source: Source, number: int, name: str) -> int:
    code = chromosome_code(name)
    if not code or name.startswith("chr"):
        sentence = f"line {number}, chromosome: {name[:20]!r} is none of 1 to 22, X, Y, MT"
        source.refuse("chromosome", sentence, hint=_HINT)
    return code


def _position(source: Source, number: int, text: str) -> int:
    valid = text.isascii() and text.isdigit() and len(text) <= 9  # noqa: PLR2004 - below 2^28
    if not valid or not 0 < int(text) < _LONGEST_POS:
        source.refuse("position", f"line {number}, position: {text[:20]!r} is no position", hint=_HINT)
    return int(text)


def _genotype(source: Source, number: int, text: str) -> bytes:
    if not 1 <= len(text) <= 2 or not _LETTERS.issuperset(text):  # noqa: PLR2004 - one or two copies
        sentence = f"line {number}, genotype: {text[:20]!r} is not one or two of A, C, G, T, I, D, -"
        source.refuse("genotype", sentence, hint=_HINT)
    return text.encode().ljust(2, b"\x00")
