"""What is told of a consumer file before anything of it is stored: sentences for the person whose file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.genome.count_notes import count_notes, in_number

if TYPE_CHECKING:
    from nebula.genome.consumer.calls import ConsumerCalls, LiftReport
    from nebula.genome.consumer.reading import ConsumerFile


def notes_of(file: ConsumerFile, found: ConsumerCalls, assembly: str) -> tuple[str, ...]:
    """Say what was understood, what was carried to the panel's ``assembly``, and what was left out, and why."""
    left_out = int((~file.called()).sum())
    matched = found.match
    counted = [
        (
            matched.strangers - (0 if file.layout.plus_strand else matched.turned),
            "place[|s] [has|have] letters that the panel does not have there",
        ),
        (matched.turned, _turned(plus_strand=file.layout.plus_strand)),
        (
            matched.palindromes,
            "A/T and C/G place[|s] [was|were] left out: only the strand would tell, which the file does not",
        ),
        (matched.conflicts, "place[|s] [was|were] left out because several markers there disagree"),
    ]
    return (
        f"{file.markers:,} markers, {left_out:,} of them no-calls or insertions and deletions",
        *_build(file, found),
        *(() if found.lift is None else _lifted(found.lift, assembly)),
        f"{matched.met:,} markers stand at places of the panel, and {matched.fitting:,} of them have its alleles",
        *count_notes(counted),
        "the record holds what meets the panel; the rest stays in the original alone",
    )


def _build(file: ConsumerFile, found: ConsumerCalls) -> tuple[str, ...]:
    layout = file.layout
    if found.assembly is None:
        return ()
    if not layout.stated:
        return (f"the file does not say its assembly; its data are on {found.assembly}",)
    if layout.stated_assembly == found.assembly:
        return (f"the file says {found.assembly}, and its data bear that out",)
    return (f"the file says {layout.stated_assembly}, but its data are on {found.assembly}, and are read so",)


def _lifted(lift: LiftReport, assembly: str) -> tuple[str, ...]:
    counted = [
        (lift.lost, f"marker[|s] [has|have] no place on {assembly} and [was|were] lost"),
        (lift.unplaced, "marker[|s] [has|have] no place in the file itself"),
        (lift.moved, "marker[|s] [is|are] on another chromosome there"),
        (lift.flipped, "marker[|s] [is|are] on the other strand there, and [its|their] letters were turned"),
    ]
    return (
        f"{lift.carried:,} {in_number(lift.carried, 'marker[|s] [was|were]')} carried to {assembly} by the chain file",
        *count_notes(counted),
    )


def _turned(*, plus_strand: bool) -> str:
    if plus_strand:
        return "of these would fit on the other strand; [it was|they were] left out, too"
    return "place[|s] [was|were] turned to the plus strand"
