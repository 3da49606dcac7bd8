"""What counts in the analysis vector of what the record holds: filters, and one copy where a man has one.

The record keeps every call as its file has it. ``docs/reference/genotypes.md`` says each case in words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import MT, X_NOT_PSEUDOAUTOSOMAL, X, Y
from nebula.genome.matrix import PackedMatrix
from nebula.genome.vcf.reader import CallForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls

#: ``RefCall`` is DeepVariant's word for a site that it calls hom-ref.
PASSING = frozenset({".", "PASS", "RefCall"})
#: Rows whose numbers are looked up at a time: what is set aside for them is used again for the next ones.
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Calls as they count.

    Attributes:
        calls: codes are missing where a call does not count.
        filtered: rows whose FILTER is not passed.
        single: men's calls on X outside the pseudo-autosomal regions and on Y that were written with two equal
            copies, and count as one.
        impossible: such calls with two different alleles; they count as missing.
    """

    calls: Calls
    filtered: int
    single: int
    impossible: int


def count_calls(calls: Calls, sexes: list[str], assembly: str) -> Counted:
    """Set aside what does not count, and count the one copy that everybody has of the mitochondria as one.

    Args:
        calls: of one file.
        sexes: of each person, as ``guess_sex`` says; men are those it is sure of.
        assembly: of the positions.
    """
    failed = _failed_rows(calls)
    packed = calls.codes.packed
    men = np.flatnonzero(np.array(sexes) == "male")
    rows = one_copy_rows(calls, assembly) if len(men) else np.zeros(0, np.intp)
    mitochondrial = mitochondrial_rows(calls)
    if not len(failed) and not len(rows) and not len(mitochondrial):
        return Counted(calls, 0, 0, 0)
    packed = packed.copy()
    single = impossible = 0
    if len(rows):
        dosage, forms = calls.codes.dosage(rows), calls.forms.dosage(rows)
        twice = np.zeros(dosage.shape, np.bool_)
        twice[:, men] = forms[:, men] != CallForm.HAPLOID
        hom, het = twice & (dosage == 2), twice & (dosage == 1)  # noqa: PLR2004 - alternate alleles
        dosage[hom], dosage[het] = 1, -1
        packed[rows] = PackedMatrix.from_dosage(dosage).packed
        single, impossible = int(hom.sum()), int(het.sum())
    if len(mitochondrial):
        packed[mitochondrial] = PackedMatrix.from_dosage(np.minimum(calls.codes.dosage(mitochondrial), 1)).packed
    packed[failed] = _missing_row(len(calls.samples))
    codes = PackedMatrix(packed, len(calls.samples))
    return Counted(replace(calls, codes=codes), len(failed), single, impossible)


def one_copy_keys(assembly: str) -> tuple[tuple[int, int], ...]:
    """The lowest and the highest keys of what men have one copy of: X outside the pseudo-autosomal regions, and Y."""
    return variant_keys.between(X, *X_NOT_PSEUDOAUTOSOMAL[assembly]), variant_keys.of_chromosome(Y)


def one_copy_rows(calls: Calls, assembly: str) -> NDArray[np.intp]:
    """Rows of which men have one copy."""
    return np.concatenate([calls.rows_between(lowest, highest) for lowest, highest in one_copy_keys(assembly)])


def mitochondrial_rows(calls: Calls) -> NDArray[np.intp]:
    """Rows of which everybody has one copy."""
    return calls.rows_between(*variant_keys.of_chromosome(MT))


def _failed_rows(calls: Calls) -> NDArray[np.intp]:
    """Rows whose FILTER is not passed."""
    failing = np.array([name not in PASSING for name in calls.filters], np.bool_)
    if not failing.any():
        return np.zeros(0, np.intp)
    starts = range(0, len(calls.filter), _AT_ONCE)
    parts = [start + np.flatnonzero(failing[calls.filter[start : start + _AT_ONCE]]) for start in starts]
    return np.concatenate([np.zeros(0, np.intp), *parts])


def _missing_row(samples: int) -> NDArray[np.uint8]:
    row: NDArray[np.uint8] = PackedMatrix.from_dosage(np.full((1, samples), -1, np.int8)).packed[0]
    return row
