"""What is found out about the two alleles of each site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Verdict(IntEnum):
    """Which allele is REF, or why none is."""

    SECOND = 0
    FIRST = 1
    NO_PLACE = 2
    NO_SEQUENCE = 3
    NOT_NAMED = 4
    NEITHER = 5
    BOTH = 6
    UNKNOWN = 7
    STRAND = 8
    SEVERAL = 9


class Pair(NamedTuple):
    """A site's alleles, trimmed, and the keys that it has if A2 is REF, and if A1 is."""

    pos: int
    first: str
    second: str
    if_second: int
    if_first: int


@dataclass(frozen=True, slots=True, eq=False)
class Alleles:
    """What was found out of every site of a file.

    Attributes:
        verdicts: of each site (sites,), uint8.
        pairs: of each site; meaningful where the verdict is ``SECOND`` or ``FIRST``.
        by_reference: how many sites the reference genome alone decided.
    """

    verdicts: NDArray[np.uint8]
    pairs: list[Pair]
    by_reference: int

    def kept(self) -> NDArray[np.int64]:
        """Rows of the sites whose REF is known."""
        return np.flatnonzero(self.verdicts <= Verdict.FIRST)

    def oriented(self, row: int) -> tuple[int, str, str, int]:
        """Position, REF, ALT and key of a site whose REF is known."""
        pair = self.pairs[row]
        if self.verdicts[row] == Verdict.FIRST:
            return pair.pos, pair.first, pair.second, pair.if_first
        return pair.pos, pair.second, pair.first, pair.if_second

    def count(self, verdict: Verdict) -> int:
        """How many sites have a verdict."""
        return int((self.verdicts == verdict).sum())
