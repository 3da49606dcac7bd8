"""Variants off the panel: from what each person carries to who carries each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome.matrix import PackedMatrix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from nebula.genome.record.vector import AnalysisVector


@dataclass(frozen=True, slots=True, eq=False)
class PrivateVariants:
    """A cohort's private variants, as a compressed sparse matrix of sites by people.

    Whoever is not among a site's carriers has no alternate allele *in their record*: they are homozygous for the
    reference, or were never looked at there. A record does not tell which.

    Attributes:
        keys: VariantKeys of the sites, uint64, shape (sites,), strictly ascending.
        offsets: int64, shape (sites + 1,): site i's entries are ``offsets[i]:offsets[i + 1]``.
        carriers: index of the person, int32, shape (entries,); ascending within a site.
        codes: alternate alleles, 1 or 2, uint8, shape (entries,).
        samples: number of people.
    """

    keys: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    carriers: NDArray[np.int32]
    codes: NDArray[np.uint8]
    samples: int

    def __len__(self) -> int:
        return len(self.keys)

    def site(self, index: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Who carries a site, and how many alternate alleles each."""
        entries = slice(self.offsets[index], self.offsets[index + 1])
        return self.carriers[entries], self.codes[entries]

    def select_samples(self, kept: NDArray[np.int64] | NDArray[np.bool_]) -> PrivateVariants:
        """Some of the people, by ascending index or mask; sites that nobody carries any more stay, empty."""
        index = np.flatnonzero(kept) if kept.dtype == np.bool_ else kept
        if (index[1:] <= index[:-1]).any():
            raise ValueError("people are chosen in ascending order")
        place = np.full(self.samples, -1, dtype=np.int32)
        place[index] = np.arange(len(index), dtype=np.int32)
        carriers = place[self.carriers]
        stays = carriers >= 0
        before = np.concatenate([[0], np.cumsum(stays)])
        return PrivateVariants(self.keys, before[self.offsets], carriers[stays], self.codes[stays], len(index))

    def between(self, first_key: int, last_key: int) -> PrivateVariants:
        """The sites with keys in a range, both ends included; positions of a chromosome are such a range."""
        ends = np.array([first_key, last_key], dtype=np.uint64)
        first, last = self.keys.searchsorted(ends[0], "left"), self.keys.searchsorted(ends[1], "right")
        last = max(first, last)
        start, stop = self.offsets[first], self.offsets[last]
        return PrivateVariants(
            self.keys[first:last],
            self.offsets[first : last + 1] - start,
            self.carriers[start:stop],
            self.codes[start:stop],
            self.samples,
        )


def only_private(vector: AnalysisVector, spans: Iterable[tuple[int, int]]) -> AnalysisVector:
    """A person's private variants with keys in any of the spans (both ends included), and no codes of the panel."""
    keys = vector.private_keys
    inside = np.zeros(len(keys), dtype=np.bool_)
    for first, last in spans:
        ends = np.array([first, last], dtype=np.uint64)
        inside[keys.searchsorted(ends[0], "left") : keys.searchsorted(ends[1], "right")] = True
    packed = np.frombuffer(vector.private_codes, np.uint8).reshape(1, -1)
    codes = PackedMatrix(packed, len(keys)).dosage()[:, inside]
    kept = PackedMatrix.from_dosage(codes).packed.tobytes()
    return replace(vector, codes=b"", private_keys=keys[inside], private_codes=kept)


def assemble_private(vectors: Iterable[AnalysisVector]) -> PrivateVariants:
    """Merge many people's private variants, people in the order given.

    Args:
        vectors: parsed, so that their keys ascend and their codes are 1 or 2.

    Returns:
        Every site that anyone carries. Time grows with the number of entries and, slowly, with their logarithm.

    Raises:
        ValueError: keys that do not ascend, or not one code for each: the vector did not come from the parser.
    """
    people = list(vectors)
    keys = [np.ascontiguousarray(one.private_keys, dtype=np.uint64) for one in people]
    codes = [np.frombuffer(one.private_codes, np.uint8) for one in people]
    return PrivateVariants(*_native.assemble_private(keys, codes), samples=len(people))
