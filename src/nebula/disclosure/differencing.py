"""Differencing: two results over cohorts that differ in a few people tell about those few.

A cohort is held as a sorted array of 64-bit digests under a key of the buyer's, so that a million people take 8 MB and
comparing two takes milliseconds. Who knows the record ids can find them in it: only enclaves see it in the clear.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure.floors import MINIMUM_DIFFERENCE
from nebula.protocol.errors import NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MINIMUM_KEY_BYTES = 16


def cohort_members(records: Iterable[bytes], key: bytes) -> NDArray[np.uint64]:
    """Return a cohort as sorted, distinct digests: keyed BLAKE2b, 8 bytes of each.

    Args:
        records: ids of the records used.
        key: 16 to 64 bytes, the same for all cohorts to be compared.
    """
    if not MINIMUM_KEY_BYTES <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ValueError("a key has 16 to 64 bytes")
    digests = b"".join(hashlib.blake2b(record, digest_size=8, key=key).digest() for record in records)
    return np.unique(np.frombuffer(digests, dtype="<u8").astype(np.uint64))


def difference(cohort: NDArray[np.uint64], earlier: NDArray[np.uint64]) -> int:
    """Count the people who are in one of two cohorts but not in the other."""
    if not len(cohort) or not len(earlier):
        return len(cohort) + len(earlier)
    places = np.searchsorted(earlier, cohort)
    places[places == len(earlier)] = 0
    shared = int((earlier[places] == cohort).sum())
    return len(cohort) + len(earlier) - 2 * shared


def check_differencing(
    cohort: NDArray[np.uint64],
    earlier_cohorts: Iterable[NDArray[np.uint64]],
    minimum_difference: int = MINIMUM_DIFFERENCE,
) -> None:
    """Refuse a cohort that differs from an earlier one of the same buyer in a few people only.

    The same cohort again is no difference and passes. ``minimum_difference`` can only raise the floor.

    Raises:
        NotPermittedError: it differs in at least one and fewer than the minimum of people.
    """
    floor = max(minimum_difference, MINIMUM_DIFFERENCE)
    for earlier in earlier_cohorts:
        # Sizes alone already tell most pairs apart.
        if abs(len(cohort) - len(earlier)) < floor and 0 < difference(cohort, earlier) < floor:
            raise NotPermittedError(
                "disclosure.differencing",
                f"this cohort differs from an earlier one of the same buyer in fewer than {floor} people",
                hint="run it over the same people, or wait until more have joined or left",
            )
