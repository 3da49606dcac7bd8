"""What is told of a VCF that was carried to another assembly: sentences for the person whose file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.count_notes import count_notes

if TYPE_CHECKING:
    from nebula.genome.lift_calls import VcfLift


def notes_of_lift(lift: VcfLift, old: str, new: str, *, proven_by_panel: bool) -> tuple[str, ...]:
    """Say what was carried from ``old`` to ``new``, and what was left out, and why."""
    unproven = (
        "variants were left out: only the reference genome of the new assembly would tell whether their REF is it "
        "(--reference)"
        if proven_by_panel
        else "variants were left out: the reference genome lacks their place"
    )
    counted = [
        (lift.moved, "of these are on another chromosome there"),
        (lift.flipped, "of these are on the other strand there, and their letters were turned"),
        (lift.swapped, f"of these have as REF what was ALT on {old}: alleles and counts changed places"),
        (lift.unmapped, f"variants have no place on {new} and were lost"),
        (
            lift.mitochondrial,
            f"mitochondrial variants were lost: files on {old} use two sequences, and it does not say which",
        ),
        (lift.crossing, "variants cross a border between stretches that moved differently and were lost"),
        (lift.turned_indels, "insertions and deletions are on the other strand there and were lost"),
        (lift.other_reference, f"variants have another reference base on {new} than either of their alleles: lost"),
        (lift.multiallelic, f"variants have a REF on {new} that is one of several ALT alleles on {old}: lost"),
        (lift.unproven, unproven),
        (lift.repeated, "variants became one with another there that has the same calls, and count once"),
        (lift.collided, "variants became one with others there, and contradict each other there: lost"),
        (lift.blocks, f"stretches without variants were left out: they are the reference of {old}, not of {new}"),
    ]
    return (
        f"{lift.carried:,} variants were carried from {old} to {new} by the chain file",
        *count_notes(counted),
    )
