"""What is told of a VCF before anything of it is stored: sentences for the person whose file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.count_notes import count_notes
from nebula.genome.lift.carrying import UNREFERENCED

if TYPE_CHECKING:
    from nebula.genome.calls import Calls
    from nebula.genome.counting import Counted
    from nebula.genome.vcf.reader import VariantBatch


def notes_of_counting(counted: Counted) -> tuple[str, ...]:
    """Say what is in the record and does not count as it stands there."""
    notes = (
        (
            counted.filtered,
            "variant[|s] did not pass [its|their] FILTER: [it is|they are] in the record, and missing in the vector",
        ),
        (counted.single, "call[|s] of a man on X or Y [was|were] written with two copies and [counts|count] as one"),
        (
            counted.impossible,
            "call[|s] of a man on X or Y [has|have] two different alleles and [counts|count] as missing",
        ),
    )
    return count_notes(notes)


def notes_of_reading(batch: VariantBatch, calls: Calls, *, aligned: bool) -> tuple[str, ...]:
    """Say what was left out, or not taken as it stands in the file; ``aligned``: along the reference genome."""
    unaligned = 0 if aligned else int((calls.reference.lengths() != calls.alternate.lengths()).sum())
    off_chromosomes = int((calls.key == 0).sum())
    counted = [
        (
            batch.other_alleles,
            "[symbolic allele or breakend stays|symbolic alleles and breakends stay] in the original alone",
        ),
        (batch.repetitions, "variant[|s] that nobody carries stood twice and [counts|count] once"),
        (batch.half_calls, "half-missing [call counts|calls count] as missing"),
        (batch.polyploid_calls, "call[|s] of more than two alleles [counts|count] as missing"),
        (batch.filtered_calls, "call[|s] whose FT is not PASS [counts|count] as missing"),
        (batch.unreferenced, UNREFERENCED),
        (off_chromosomes, "variant[|s] off chromosomes 1 to 22, X, Y, MT [is|are] in the record, not in the vector"),
        (
            unaligned,
            "[insertion or deletion was|insertions and deletions were] trimmed, not left-aligned: no reference genome",
        ),
    ]
    return count_notes(counted)
