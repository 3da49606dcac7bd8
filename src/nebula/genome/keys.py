"""VariantKeys in bulk: what can be read off the 64 bits of a sorted list of them.

From the top: 5 bits of chromosome, 28 of 0-based position, 31 of alleles. Alleles of up to 11 bases are spelt
out, with the lowest bit 0; others are hashed, with the lowest bit 1 (bioRxiv 473744).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome.chromosomes import chromosome_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.texts import Texts

    Keys = NDArray[np.uint64]

#: How many bits the alleles have, below those of the place.
ALLELE_BITS = 31
_POSITION_MASK = (1 << 28) - 1
_ALLELE_MASK = (1 << ALLELE_BITS) - 1
_BASES = "ACGT"
#: Where the lengths of REF and ALT stand, and the first base of them; each base has two bits.
_REFERENCE_LENGTH, _ALTERNATE_LENGTH, _FIRST_BASE = 27, 23, 21
#: Both lengths and the lowest bit, and what they are where one base stands in another's place.
_LENGTHS, _SINGLE = np.uint64((0xFF << _ALTERNATE_LENGTH) | 1), np.uint64(0x11 << _ALTERNATE_LENGTH)


def variant_key(chromosome: str, pos: int, reference: str, alternate: str) -> int:
    """The key of one variant: 1-based ``pos``, upper-case trimmed alleles; 0 off the chromosomes."""
    return _native.variant_key(chromosome_code(chromosome), pos, reference.encode(), alternate.encode())


def variant_keys(chromosome: NDArray[np.uint8], pos: NDArray[np.int32], reference: Texts, alternate: Texts) -> Keys:
    """The keys of many variants, by chromosome codes: as ``variant_key``."""
    return _native.variant_keys(chromosome, pos, reference.columns(), alternate.columns())


def chromosomes(keys: Keys) -> NDArray[np.uint8]:
    """Chromosome codes, 1 to 25."""
    # They are in the highest byte of each, which alone is looked at.
    return np.ascontiguousarray(keys, "<u8").view(np.uint8)[7::8] >> np.uint8(3)


def ascending(keys: Keys) -> Keys | None:
    """The keys without those that are none (0), where these stand behind all others, which ascend."""
    present = keys[: np.count_nonzero(keys)]
    # A 0 among them would come first, or behind what is greater.
    return present if present[:1].all() and (present[1:] >= present[:-1]).all() else None


def positions(keys: Keys) -> NDArray[np.int32]:
    """1-based positions."""
    return ((keys >> np.uint64(31)) & np.uint64(_POSITION_MASK)).astype(np.int32) + 1


def places(keys: Keys) -> Keys:
    """Chromosome and position without the alleles: equal for variants of one place, sorted like the keys."""
    return keys >> np.uint64(31)


def place(chromosome: NDArray[np.integer], pos: NDArray[np.integer]) -> Keys:
    """What ``places`` gives for keys at 1-based ``pos`` of chromosomes by code."""
    return (chromosome.astype(np.uint64) << np.uint64(28)) | (pos.astype(np.int64) - 1).astype(np.uint64)


def between(chromosome: int, first: int, last: int) -> tuple[int, int]:
    """The lowest and the highest key that a variant from 1-based ``first`` to ``last`` of a chromosome can have."""
    lowest, highest = ((chromosome << 59) | ((pos - 1) << 31) for pos in (first, last))
    return lowest, highest | _ALLELE_MASK


def of_chromosome(chromosome: int) -> tuple[int, int]:
    """The lowest and the highest key that a variant of a chromosome can have."""
    return between(chromosome, 1, _POSITION_MASK + 1)


def hashed(keys: Keys) -> NDArray[np.bool_]:
    """Whether alleles are hashed, so that the key alone does not tell them."""
    return (keys & np.uint64(1)).astype(np.bool_)


def singles(keys: Keys) -> NDArray[np.bool_]:
    """Whether a variant is one base in another's place."""
    found: NDArray[np.bool_] = (keys & _LENGTHS) == _SINGLE
    return found


def carried(keys: Keys, chromosome: NDArray[np.integer], pos: NDArray[np.integer], turned: NDArray[np.bool_]) -> Keys:
    """Keys of single bases at other places, by chromosome codes and 1-based ``pos``.

    Where the strand has ``turned``, both alleles are the complements of what they were, whose bits are the opposite.
    """
    alleles = keys & np.uint64(_ALLELE_MASK)
    alleles = np.where(turned, alleles ^ np.uint64(0xF << (_FIRST_BASE - 2)), alleles)
    return (place(chromosome, pos) << np.uint64(ALLELE_BITS)) | alleles


def spelt_base(keys: Keys, number: int) -> NDArray[np.uint8]:
    """The base so many behind the first of REF, ALT following it, as a letter; 0 where alleles are hashed."""
    codes = (keys >> np.uint64(_FIRST_BASE - 2 * number)).astype(np.uint8) & np.uint8(3)
    letters = np.frombuffer(_BASES.encode(), np.uint8).take(codes)
    return np.where(hashed(keys), np.uint8(0), letters)


def reference_lengths(keys: Keys) -> NDArray[np.int64]:
    """How many bases REF has; meaningless where alleles are hashed."""
    return ((keys >> np.uint64(_REFERENCE_LENGTH)) & np.uint64(0xF)).astype(np.int64)


def spelt_alleles(key: int) -> tuple[str, str]:
    """REF and ALT of a key that is not hashed."""
    code = key & _ALLELE_MASK
    reference, alternate = code >> _REFERENCE_LENGTH, (code >> _ALTERNATE_LENGTH) & 0xF
    bases = "".join(_BASES[(code >> (_FIRST_BASE - 2 * index)) & 3] for index in range(reference + alternate))
    return bases[:reference], bases[reference:]
