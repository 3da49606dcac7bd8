"""What is told of a VCF that was carried to another assembly: sentences for the person whose file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.count_notes import count_notes, in_number

if TYPE_CHECKING:
    from nebula.genome.lift.calls import VcfLift


def notes_of_lift(lift: VcfLift, old: str, new: str, *, proven_by_panel: bool) -> tuple[str, ...]:
    """Say what was carried from ``old`` to ``new``, and what was left out, and why."""
    unproven = (
        "variant[|s] [was|were] left out: only the reference genome of the new assembly would tell whether [its|their] "
        "REF is it "
        "(--reference)"
        if proven_by_panel
        else "variant[|s] [was|were] left out: the reference genome lacks [its|their] place"
    )
    counted = [
        (lift.moved, "of these [is|are] on another chromosome there"),
        (lift.flipped, "of these [is|are] on the other strand there, and [its|their] letters were turned"),
        (lift.swapped, f"of these [has|have] as REF what was ALT on {old}: alleles and counts changed places"),
        (lift.unmapped, f"variant[|s] [has|have] no place on {new} and [was|were] lost"),
        (
            lift.mitochondrial,
            f"mitochondrial variant[|s] [was|were] lost: files on {old} use two sequences, and it does not say which",
        ),
        (
            lift.crossing,
            "variant[|s] [crosses|cross] a border between stretches that moved differently and [was|were] lost",
        ),
        (
            lift.turned_indels,
            "[insertion or deletion is|insertions and deletions are] on the other strand there and [was|were] lost",
        ),
        (
            lift.other_reference,
            f"variant[|s] [has|have] another reference base on {new} than either of [its|their] alleles: lost",
        ),
        (lift.multiallelic, f"variant[|s] [has|have] a REF on {new} that is one of several ALT alleles on {old}: lost"),
        (lift.unproven, unproven),
        (lift.repeated, "variant[|s] became one with another there that has the same calls, and [counts|count] once"),
        (
            lift.collided,
            "variant[|s] became one with others there, and [contradicts them|contradict each other] there: lost",
        ),
        (
            lift.blocks,
            f"stretch[|es] without variants [was|were] left out: [it is|they are] {old}'s reference, not {new}'s",
        ),
    ]
    carried = in_number(lift.carried, "variant[|s] [was|were]")
    return (
        f"{lift.carried:,} {carried} carried from {old} to {new} by the chain file",
        *count_notes(counted),
    )
