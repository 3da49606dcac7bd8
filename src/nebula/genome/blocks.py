"""Stretches of a chromosome that one person is known to have no variant on: hom-ref blocks, as a gVCF has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import chromosome_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.keys import Keys


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Blocks on chromosomes, ready to be asked.

    Attributes:
        starts: first place of each block, as ``keys.place`` gives it, ascending (blocks,).
        ends: the last place that this block or an earlier one reaches (blocks,).
    """

    starts: Keys
    ends: Keys

    @classmethod
    def of(cls, blocks: NDArray[np.int64], contigs: list[str]) -> Blocks:
        """Take a file's blocks: contig number, first and last 1-based position in the first three columns."""
        codes = np.array([chromosome_code(contig) for contig in contigs], np.int64)
        placed = blocks[codes[blocks[:, 0]] > 0] if len(blocks) else blocks
        placed = placed[placed[:, 1] > 0]
        on = codes[placed[:, 0]] if len(placed) else np.zeros(0, np.int64)
        starts, ends = (variant_keys.place(on, placed[:, column]) for column in (1, 2))
        order = np.argsort(starts, kind="stable")
        return cls(starts[order], np.maximum.accumulate(ends[order]))

    def cover(self, first: Keys, last: Keys) -> NDArray[np.bool_]:
        """Which stretches, from ``first`` to ``last`` place, lie wholly inside one block (stretches,)."""
        if not len(self.starts):
            return np.zeros(len(first), np.bool_)
        index = np.searchsorted(self.starts, first, side="right") - 1
        covered: NDArray[np.bool_] = (index >= 0) & (last <= self.ends[np.maximum(index, 0)])
        return covered
