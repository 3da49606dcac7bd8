"""Carry positions from one assembly to another by a UCSC chain file.

Format: https://genome.ucsc.edu/goldenPath/help/chain.html. A ``chain`` line names two stretches; the lines
behind it give the sizes of the blocks that match without a gap, and the gaps on both sides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome.chromosomes import NAMES, assembly_by_lengths, chromosome_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

_CHAIN_WORDS = 13
_GAP_WORDS = 3
_AS_PUBLISHED = "give a chain file as UCSC publishes them"
#: Longer than any chromosome, and as far as a VariantKey reaches.
_LONGEST = 1 << 28
_WHOLE = re.compile(r"[0-9]{1,10}")


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
                _check_ended(heading)
                heading = _Heading(words)
                old_lengths[words[2]], new_lengths[words[7]] = heading.old.size, heading.new.size
                continue
            if heading is None or heading.ended or len(words) not in {1, _GAP_WORDS}:
                raise ValueError("a size stands where a chain begins")  # noqa: TRY301 - one place names the line
            if (block := heading.advance([_whole(word) for word in words])) is not None:
                blocks.setdefault(heading.code, []).append(block)
        except ValueError as error:
            source.refuse("malformed", f"line {number}: {error}", hint=_AS_PUBLISHED)
    if heading is not None and not heading.ended:
        source.refuse("malformed", "it is cut off: the last block of its last chain is missing", hint=_AS_PUBLISHED)
    arrays = _ascending(source, blocks)
    return Chain(arrays, assembly_by_lengths(old_lengths), assembly_by_lengths(new_lengths))


def _ascending(source: Source, blocks: dict[int, list[_Block]]) -> dict[int, NDArray[np.int64]]:
    arrays = {code: np.array(sorted(found), np.int64) for code, found in blocks.items()}
    for code, array in arrays.items():
        if (array[1:, 0] < array[:-1, 1]).any():
            source.refuse("malformed", f"the chains of chromosome {NAMES[code]} overlap")
    if not arrays:
        source.refuse("malformed", "the file has no chain between chromosomes")
    return arrays


class _Stretch(NamedTuple):
    """From ``start`` to ``end`` of a chromosome of ``size`` bases, along a strand; 0-based, half-open."""

    size: int
    start: int
    end: int

    @classmethod
    def of(cls, size: str, start: str, end: str) -> _Stretch:
        found = cls(_whole(size), _whole(start), _whole(end))
        if not found.start <= found.end <= found.size <= _LONGEST:
            raise ValueError(f"a stretch from {start} to {end} of a chromosome of {size} bases is none")
        return found


class _Heading:
    """A ``chain`` line, and how far its blocks have come."""

    def __init__(self, words: list[str]) -> None:
        if len(words) not in {_CHAIN_WORDS - 1, _CHAIN_WORDS} or words[4] != "+" or words[9] not in {"+", "-"}:
            raise ValueError("a chain line has 12 or 13 words, and its first strand is +")
        self.code, self._to = chromosome_code(words[2]), chromosome_code(words[7])
        self.old = _Stretch.of(words[3], *words[5:7])
        self.new = _Stretch.of(words[8], *words[10:12])
        self.ended, self._reverse = False, words[9] == "-"
        self._start, self._target = self.old.start, self.new.start

    def advance(self, sizes: list[int]) -> _Block | None:
        """Note one block, and step over it and the gap behind it; the last one has none, and ends where both do."""
        size, old_gap, new_gap = (*sizes, 0, 0)[:3]
        start, target = self._start, self._target
        self._start, self._target = start + size + old_gap, target + size + new_gap
        self.ended = len(sizes) == 1
        beyond = self._start > self.old.end or self._target > self.new.end
        if beyond or (self.ended and (self._start, self._target) != (self.old.end, self.new.end)):
            raise ValueError("the blocks of a chain do not end where its first line says")
        if not self.code or not self._to or not size:
            return None
        if self._reverse:
            return _Block(start, start + size, self._to, self.new.size - 1 - target, -1)
        return _Block(start, start + size, self._to, target, 1)


def _check_ended(heading: _Heading | None) -> None:
    if heading is not None and not heading.ended:
        raise ValueError("the last block of the chain before is missing")


def _whole(word: str) -> int:
    """A number of ASCII digits; Python reads underscores, too, and refuses thousands of digits."""
    if not _WHOLE.fullmatch(word):
        raise ValueError(f"{word[:20]!r} is no whole number from 0 on")
    return int(word)
