"""What is told of a VCF before anything of it is stored: sentences for the person whose file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.carrying import UNREFERENCED
from nebula.genome.count_notes import count_notes

if TYPE_CHECKING:
    from nebula.genome.calls import Calls
    from nebula.genome.counting import Counted
    from nebula.genome.vcf.reader import VariantBatch


def notes_of_counting(counted: Counted) -> tuple[str, ...]:
    """Say what is in the record and does not count as it stands there."""
    notes = (
        (counted.filtered, "variants did not pass their FILTER: they are in the record, and missing in the vector"),
        (counted.single, "calls of a man on X or Y were written with two copies and count as one"),
        (counted.impossible, "calls of a man on X or Y have two different alleles and count as missing"),
    )
    return count_notes(notes)


def notes_of_reading(batch: VariantBatch, calls: Calls, *, aligned: bool) -> tuple[str, ...]:
    """Say what was left out, or not taken as it stands in the file; ``aligned``: along the reference genome."""
    unaligned = 0 if aligned else int((calls.reference.lengths() != calls.alternate.lengths()).sum())
    off_chromosomes = int((calls.key == 0).sum())
    counted = [
        (batch.other_alleles, "symbolic alleles and breakends stay in the original alone"),
        (batch.repetitions, "variants that nobody carries stood twice and count once"),
        (batch.half_calls, "half-missing calls count as missing"),
        (batch.polyploid_calls, "calls of more than two alleles count as missing"),
        (batch.filtered_calls, "calls whose FT is not PASS count as missing"),
        (batch.unreferenced, UNREFERENCED),
        (off_chromosomes, "variants off chromosomes 1 to 22, X, Y, MT are in the record, not in the vector"),
        (unaligned, "insertions and deletions were trimmed, not left-aligned, for want of the reference genome"),
    ]
    return count_notes(counted)
