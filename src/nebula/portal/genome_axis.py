"""Chromosomes side by side on one axis, by the lengths that they have, not by what happens to be on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nebula.genome.chromosomes import MT, NAMES, chromosome_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUTOSOMES = 22
# Bases between chromosomes.
GAP_BP = 1.5e7
# The mitochondrial genome is 16,569 bases long, which would be invisible.
MT_SHOWN_BP = 1.5e7


@dataclass(frozen=True, slots=True, eq=False)
class GenomeAxis:
    """The autosomes, and of X, Y and MT those that are asked for.

    Attributes:
        codes: the chromosomes on the axis, ascending.
        starts: where each begins, shape (codes,).
        middles: where each one's label goes.
        end: where the axis ends.
    """

    codes: tuple[int, ...]
    starts: NDArray[np.float64]
    middles: tuple[float, ...]
    end: float

    @classmethod
    def of(cls, chromosome: NDArray[Any], assembly: str) -> Self:
        """Return the axis for variants on these chromosomes, by code (1 to 22, 23 X, 24 Y, 25 MT)."""
        others = {int(code) for code in np.unique(chromosome) if AUTOSOMES < code <= MT}
        codes = (*range(1, AUTOSOMES + 1), *sorted(others))
        known = dict(enumerate(chromosome_lengths(assembly), start=1))
        lengths = np.array([known.get(code, MT_SHOWN_BP) for code in codes], dtype=np.float64)
        ends = np.cumsum(lengths + GAP_BP)
        starts = ends - lengths
        return cls(codes, starts, tuple((starts + lengths / 2).tolist()), float(ends[-1] + GAP_BP))

    def places(self, chromosome: NDArray[Any], position: NDArray[Any]) -> NDArray[np.float64]:
        """Return where variants stand; NaN for a chromosome that is not on the axis."""
        place = dict(zip(self.codes, self.starts.tolist(), strict=True))
        starts = np.array([place.get(int(code), np.nan) for code in chromosome], dtype=np.float64)
        return np.asarray(starts + np.asarray(position, dtype=np.float64))

    def label_expression(self) -> str:
        """Return the Vega expression that names a chromosome by its middle."""
        named = zip(self.middles, self.codes, strict=True)
        return " : ".join(f"datum.value == {middle} ? '{NAMES[code]}'" for middle, code in named) + " : ''"
