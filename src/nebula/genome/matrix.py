"""A cohort's genotypes, two bits each, ready for the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MISSING = 3


@dataclass(frozen=True, slots=True, eq=False)
class PackedMatrix:
    """Genotypes of many people on one panel, variant-major.

    Attributes:
        packed: uint8, C-contiguous, shape (variants, ceil(samples / 4)). Four codes to a byte, sample 0
            in bits 0 and 1. A code is the number of alternate alleles, 0 to 2, or 3 for missing. The codes
            behind the last sample are zero.
        samples: number of people.
    """

    packed: NDArray[np.uint8]
    samples: int

    def __post_init__(self) -> None:
        width = -(-self.samples // 4)
        if self.packed.ndim != 2 or self.packed.shape[1] != width or self.packed.dtype != np.uint8:  # noqa: PLR2004
            raise ValueError(f"{self.samples} samples need a uint8 matrix of {width} columns")
        if not self.packed.flags.c_contiguous:
            raise ValueError("a packed matrix is C-contiguous")
        used = self.samples % 4
        if used and (self.packed[:, -1] >> (2 * used)).any():
            raise ValueError("the codes behind the last sample must be zero")

    @classmethod
    def from_dosage(cls, dosage: NDArray[np.int8]) -> PackedMatrix:
        """Pack dosages: shape (variants, samples), 0 to 2, negative is missing."""
        return cls(_native.pack(np.ascontiguousarray(dosage, dtype=np.int8)), dosage.shape[1])

    @classmethod
    def from_codes(cls, codes: NDArray[np.uint8]) -> PackedMatrix:
        """Pack codes: shape (variants, samples), 0 to 3."""
        return cls.from_dosage(np.where(codes == MISSING, -1, codes))

    @property
    def variants(self) -> int:
        """Number of sites."""
        return int(self.packed.shape[0])

    def counts(self) -> NDArray[np.int64]:
        """Genotype counts, shape (variants, 4): hom-ref, het, hom-alt, missing."""
        return _native.counts(self.packed, self.samples)

    def dosage(self, rows: slice | Sequence[int] | NDArray[np.int64] | None = None) -> NDArray[np.int8]:
        """Alternate-allele counts of all or some variants, shape (variants, samples); -1 is missing."""
        chosen = self.packed if rows is None else self.packed[rows]
        return _native.unpack(np.ascontiguousarray(chosen), self.samples)

    def codes(self, rows: slice | Sequence[int] | NDArray[np.int64] | None = None) -> NDArray[np.uint8]:
        """The codes of all or some variants, 0 to 3, shape (variants, samples)."""
        return (self.dosage(rows) & MISSING).astype(np.uint8)

    def select_variants(self, rows: slice | Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> PackedMatrix:
        """The same people on some of the variants, in the order asked for."""
        return PackedMatrix(np.ascontiguousarray(self.packed[rows]), self.samples)

    def select_samples(self, columns: Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> PackedMatrix:
        """Some of the people, by index or mask, in the order asked for; drops who has withdrawn."""
        index = np.asarray(columns)
        if index.dtype == np.bool_:
            if index.shape != (self.samples,):
                raise ValueError(f"a mask over {self.samples} samples has as many entries")
            index = np.flatnonzero(index)
        kept = np.ascontiguousarray(index, dtype=np.int64)
        return PackedMatrix(_native.select_samples(self.packed, self.samples, kept), len(kept))
