"""Raw data of a consumer test: a marker a line, its chromosome, position and letters.

The letters are bases, ``I`` and ``D`` for insertions and deletions, ``-`` for no call; one letter where there is
one copy (X and Y of men, MT). A file has no reference alleles: only on a panel, whose sites have REF and ALT,
does a genotype become a code. Layouts: ``layout``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain as joined
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome.consumer.layout import HINT, PREAMBLE_BYTES, find_layout, looks_like_consumer_file
from nebula.genome.vcf.overlooked import Overlooked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.consumer.layout import Layout
    from nebula.genome.inflate import Source

__all__ = ["ConsumerFile", "looks_like_consumer_file", "read_consumer"]

_LONGEST_LINE = 1 << 16
_HINT_OF_ONE_LINE = f"{HINT}; or leave such lines out with --lenient, if at most 1 in 100 are such"
#: Where more than one line in so many is left out, the rest is doubtful, too: our choice.
_FEW = 100


@dataclass(frozen=True, slots=True, eq=False)
class ConsumerFile:
    """Markers in the file's order.

    Attributes:
        layout: the vendor's, with the assembly that the file claims.
        chromosome: VariantKey codes (markers,); 0 where the vendor could not place the marker.
        pos: 1-based (markers,).
        first: ASCII of the first letter (markers,): A, C, G, T, I, D, or ``-``.
        second: of the second; 0 where there is one copy.
        overlooked: rules that lines break which a lenient reading left out.
    """

    layout: Layout
    chromosome: NDArray[np.uint8]
    pos: NDArray[np.int32]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    overlooked: tuple[Overlooked, ...] = ()

    @property
    def markers(self) -> int:
        """Number of markers."""
        return len(self.pos)

    def called(self) -> NDArray[np.bool_]:
        """Which markers have bases: neither no-calls nor insertions and deletions."""
        base = np.zeros(256, np.bool_)
        base[list(b"ACGT")] = True
        called: NDArray[np.bool_] = base.take(self.first) & (base.take(self.second) | (self.second == 0))
        return called


def read_consumer(source: Source, pieces: Iterator[bytes] | None = None, *, lenient: bool = False) -> ConsumerFile:
    """Read a consumer file.

    Args:
        source: the open file.
        pieces: its content, inflated, where it was begun to be read.
        lenient: whether a line whose chromosome, position, strand, genotype or number of columns is wrong is left out
            and counted, instead of ending the reading.

    Raises:
        RejectedInputError: ``consumer.*`` with the line, the column and the rule; ``consumer.unreliable`` where a
            lenient reading left out more than one line in a hundred.
    """
    pieces = source.pieces() if pieces is None else pieces
    start = b""
    while len(start) < PREAMBLE_BYTES and (piece := next(pieces, b"")):
        start += piece
    layout = find_layout(source, start)
    parser = _native.MarkerParser(layout.roles, ord(layout.separator), layout.heading, layout.lines, lenient)
    columns = []
    for lines in _whole_lines(source, joined([start[layout.size :]], pieces)):
        try:
            columns.append(parser.parse(lines))
        except _native.ParseError as error:
            code, line, field, sentence = error.args
            hint = _HINT_OF_ONE_LINE if code in parser.OF_ONE_LINE else HINT
            source.refuse(code, f"line {line}, {_in_column(field, sentence)}", hint=hint)
    chromosome, pos, first, second = (np.concatenate(column) for column in zip(*columns, strict=True))
    overlooked = _overlooked(parser)
    _refuse_unreliable(source, overlooked, len(pos))
    if not len(pos):
        source.refuse("empty", "the file has no marker", hint=HINT)
    return ConsumerFile(layout, chromosome, pos, first, second, overlooked)


def _overlooked(parser: _native.MarkerParser) -> tuple[Overlooked, ...]:
    return tuple(
        Overlooked(code=f"consumer.{code}", kept=False, count=count, line=line, sentence=_in_column(field, sentence))
        for code, count, line, field, sentence in parser.left_out
    )


def _in_column(field: str, sentence: str) -> str:
    return f"{field}: {sentence}" if field else sentence


def _refuse_unreliable(source: Source, overlooked: tuple[Overlooked, ...], read: int) -> None:
    left_out = sum(one.count for one in overlooked)
    if left_out * _FEW > left_out + read:
        sentence = f"{left_out:,} of its {left_out + read:,} markers break rules, too many to trust the rest: --lenient"
        first = min(overlooked, key=lambda one: one.line)
        source.refuse(
            "unreliable",
            f"{sentence} reads on where at most 1 in {_FEW} do; the first is line {first.line}, {first.sentence}",
            hint=HINT,
        )


def _whole_lines(source: Source, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces that end with a line; the last one is whatever is left."""
    rest = b""
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield rest + piece[:end]
            rest = piece[end:]
        else:
            rest += piece
        if len(rest) > _LONGEST_LINE:
            source.refuse("line-too-long", f"a line is longer than {_LONGEST_LINE} bytes", hint=HINT)
    yield rest
