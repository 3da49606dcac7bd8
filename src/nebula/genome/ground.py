"""What tells which bases an assembly has: a panel at its places, the reference genome everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.aligning import Aligned, Places, Verdict, align, bases_at
from nebula.genome.chromosomes import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel
    from nebula.genome.reference import Reference
    from nebula.genome.texts import Texts


@dataclass(frozen=True, slots=True)
class Ground:
    """A panel, and the reference genome of its assembly, if it was given."""

    panel: Panel
    reference: Reference | None = None

    def bases(self, chromosome: NDArray[np.uint8], pos: NDArray[np.int32]) -> NDArray[np.uint8]:
        """The base at each 1-based place of chromosomes by code, as a letter; 0 where it is not known."""
        if self.reference is not None:
            return bases_at(self.reference, _places(chromosome, pos))
        return self.panel.bases_at(variant_keys.place(chromosome, pos) << np.uint64(variant_keys.ALLELE_BITS))

    def align(
        self, chromosome: NDArray[np.uint8], pos: NDArray[np.int32], reference: Texts, alternate: Texts
    ) -> Aligned:
        """Hold trimmed variants against the assembly, left-aligned by the reference genome.

        Without it, those are known that the panel has: no insertion or deletion, which might be written elsewhere.
        """
        if self.reference is not None:
            return align(self.reference, _places(chromosome, pos), reference, alternate)
        keys = variant_keys.variant_keys(chromosome, pos, reference, alternate)
        lengths = reference.lengths()
        known = (lengths == alternate.lengths()) & (self.panel.locate(keys) >= 0) & ~variant_keys.hashed(keys)
        verdict = np.where(known, Verdict.FITS, Verdict.UNKNOWN).astype(np.uint8)
        return Aligned(verdict, pos, pos + lengths - 1, reference, alternate)


def _places(chromosome: NDArray[np.uint8], pos: NDArray[np.int32]) -> Places:
    return Places(list(NAMES), chromosome.astype(np.uint16), pos)
