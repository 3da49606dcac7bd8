"""Carry positions from one assembly to another by a UCSC chain file.

Format: https://genome.ucsc.edu/goldenPath/help/chain.html. A ``chain`` line names two stretches; the lines
behind it give the sizes of the blocks that match without a gap, and the gaps on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome.chromosomes import NAMES, assembly_by_lengths, chromosome_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

_CHAIN_WORDS = 13
_GAP_WORDS = 3
#: Longer than any chromosome, and as far as a VariantKey reaches.
_LONGEST = 1 << 28


class _Block(NamedTuple):
    """0-based, half-open on the old side; on a minus strand ``target`` is the last base."""

    start: int
    end: int
    chromosome: int
    target: int
    step: int


class Lifted(NamedTuple):
    """Where positions went: chromosome codes (0: nowhere), 1-based positions, whether the strand turned.

    ``block`` numbers the blocks of each chromosome that is left: two of its positions with one number have no gap
    between them on either side. It is -1 for nowhere.
    """

    chromosome: NDArray[np.uint8]
    pos: NDArray[np.int32]
    flipped: NDArray[np.bool_]
    block: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Where stretches of one assembly are on another.

    Attributes:
        blocks: by chromosome, ascending: arrays (blocks, 5) of the fields of a block.
        old: the assembly that it leads from, by the lengths of chromosomes; None where they are of none.
        new: the one that it leads to.
    """

    blocks: dict[int, NDArray[np.int64]]
    old: str | None = None
    new: str | None = None

    def lift(self, chromosome: NDArray[np.integer], pos: NDArray[np.integer]) -> Lifted:
        """Carry 1-based positions of chromosomes by code; what falls in a gap goes nowhere."""
        to, where = np.zeros(len(pos), np.uint8), np.zeros(len(pos), np.int32)
        flipped, block = np.zeros(len(pos), np.bool_), np.full(len(pos), -1, np.int32)
        for code, blocks in self.blocks.items():
            rows = np.flatnonzero(chromosome == code)
            start = pos[rows].astype(np.int64) - 1
            index = np.searchsorted(blocks[:, 0], start, side="right") - 1
            inside = (index >= 0) & (start < blocks[index, 1])
            rows, start, index = rows[inside], start[inside], index[inside]
            chosen = blocks[index]
            to[rows] = chosen[:, 2]
            where[rows] = chosen[:, 3] + chosen[:, 4] * (start - chosen[:, 0]) + 1
            flipped[rows] = chosen[:, 4] < 0
            block[rows] = index
        return Lifted(to, where, flipped, block)


def read_chain(source: Source) -> Chain:
    """Read a chain file, plain or gzip; chains that touch no chromosome on either side are left out.

    Raises:
        RejectedInputError: ``chain.malformed`` with the line.
    """
    blocks: dict[int, list[_Block]] = {}
    heading: _Heading | None = None
    old_lengths: dict[str, int | None] = {}
    new_lengths: dict[str, int | None] = {}
    for number, line in source.byte_lines(longest=source.limits.line_bytes, code="malformed"):
        words = line.decode("latin-1").split()
        try:
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "chain":
                heading = _Heading(words)
                old_lengths[words[2]], new_lengths[words[7]] = int(words[3]), int(words[8])
                continue
            if heading is None or len(words) not in {1, _GAP_WORDS}:
                raise ValueError("a size stands where a chain begins")  # noqa: TRY301 - one place names the line
            if (block := heading.advance([int(word) for word in words])) is not None:
                blocks.setdefault(heading.code, []).append(block)
        except ValueError as error:
            source.refuse("malformed", f"line {number}: {error}", hint="give a chain file as UCSC publishes them")
    arrays = {code: np.array(sorted(found), np.int64) for code, found in blocks.items()}
    for code, array in arrays.items():
        if (array[1:, 0] < array[:-1, 1]).any():
            source.refuse("malformed", f"the chains of chromosome {NAMES[code]} overlap")
    if not arrays:
        source.refuse("malformed", "the file has no chain between chromosomes")
    return Chain(arrays, assembly_by_lengths(old_lengths), assembly_by_lengths(new_lengths))


class _Heading:
    """A ``chain`` line, and how far its blocks have come."""

    def __init__(self, words: list[str]) -> None:
        if len(words) < _CHAIN_WORDS - 1 or words[4] != "+" or words[9] not in "+-":
            raise ValueError("a chain line has 12 or 13 words, and its first strand is +")
        self.code, self._to = chromosome_code(words[2]), chromosome_code(words[7])
        self._start, self._size, self._reverse = int(words[5]), int(words[8]), words[9] == "-"
        self._target = int(words[10])

    def advance(self, sizes: list[int]) -> _Block | None:
        """Note one block, and step over it and the gap behind it."""
        if min(sizes) < 0:
            raise ValueError("a size is negative")
        size, old_gap, new_gap = (*sizes, 0, 0)[:3]
        start, target = self._start, self._target
        self._start, self._target = start + size + old_gap, target + size + new_gap
        if not 0 <= min(start, target) <= max(self._start, self._target, self._size) <= _LONGEST:
            raise ValueError(f"a block is not at a place from 0 to {_LONGEST}")
        if self._reverse and self._target > self._size:
            raise ValueError("a block is behind the end of its chromosome")
        if not self.code or not self._to or not size:
            return None
        if self._reverse:
            return _Block(start, start + size, self._to, self._size - 1 - target, -1)
        return _Block(start, start + size, self._to, target, 1)
