"""A VCF's calls brought to the panel's assembly: carried there by a chain file, or found to be there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.aligning import Places, Verdict, align
from nebula.genome.assembly_proof import ENOUGH_MARKERS
from nebula.genome.chromosomes import chromosome_code
from nebula.genome.count_notes import count_notes
from nebula.genome.lift.calls import lift_calls
from nebula.genome.lift.chain_files import chain_not_needed
from nebula.genome.lift.notes import notes_of_lift
from nebula.genome.vcf.rules import hint_of
from nebula.genome.vcf_assembly import check_ends, fit_if_carried, fit_of, prove

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.inflate import Source
    from nebula.genome.lift.chain import Chain
    from nebula.genome.panel import Panel
    from nebula.genome.reference import Reference
    from nebula.genome.vcf.overlooked import Overlooked


UNREFERENCED = (
    "variant[|s] [stands on a contig|stand on contigs] that the reference genome lacks and [was|were] trimmed only"
)


class Stated(NamedTuple):
    """What a VCF says of itself.

    Attributes:
        assembly: by its header, None where that does not say it.
        symbolic: whether it has alleles that became no row.
    """

    assembly: str | None
    symbolic: bool


class Means(NamedTuple):
    """What was given beside a VCF: both are about the panel's assembly."""

    reference: Reference | None
    chain: Chain | None


class Brought(NamedTuple):
    """Calls on the panel's assembly.

    Attributes:
        sites: of each row, as ``Calls.locate`` says.
        assembly_by: how it is known that they are on it.
        notes: what became of them on the way, for the person.
        repeated: variants that stood several times in the file, where it is read leniently.
    """

    calls: Calls
    sites: NDArray[np.int32]
    assembly_by: str
    notes: tuple[str, ...]
    repeated: tuple[Overlooked, ...]


def bring_to_panel(
    source: Source, calls: Calls, panel: Panel, means: Means, stated: Stated, *, lenient: bool
) -> Brought:
    """Carry calls to the panel's assembly where a chain file was given and their data are not on it.

    Args:
        source: the file, to be named in errors.
        calls: as they stand in it; left-aligned where there is a reference genome and no chain file.
        panel: on the assembly that is wanted.
        means: of getting there.
        stated: by the file.
        lenient: whether variants that stand several times are left out and told.

    Raises:
        RejectedInputError: ``vcf.wrong-assembly``, ``vcf.chain``, ``vcf.reference``, ``vcf.duplicate-variant``.
    """
    reference, chain = means
    carried = None if chain is None else fit_if_carried(source, calls, panel, chain, stated=stated.assembly)
    notes: tuple[str, ...] = ()
    if chain is not None and carried is None:
        calls, notes = _not_carried(source, calls, panel, reference)
    repeated: tuple[Overlooked, ...] = ()
    if lenient:
        calls, repeated = calls.without_repetitions()
    else:
        calls.check_unique(source.name)
    said = _said(stated.assembly, panel.assembly)
    if chain is not None and carried is not None:
        old = chain.old or stated.assembly or "another assembly"
        calls, lift = lift_calls(calls, chain, panel, reference=reference, symbolic=stated.symbolic)
        notes = notes_of_lift(lift, old, panel.assembly, proven_by_panel=reference is None)
        said = f"carried from {old}; {said}"
    sites = calls.locate(panel)
    fit = carried or fit_of(panel, calls.key, sites)
    if stated.assembly is None and reference is None and not fit.met and calls.rows >= ENOUGH_MARKERS:
        source.refuse(
            "wrong-assembly",
            f"its header does not say which assembly it is on, and of its {calls.rows:,} variants none is at a place "
            "of the panel",
            hint=f"--reference GENOME.fa of {panel.assembly} proves it; --chain FILE carries it there from another one",
        )
    proof = prove(source, fit, panel.assembly)
    check_ends(source, calls, panel.assembly)
    return Brought(calls, sites, f"{said}; {proof}", notes, repeated)


def _said(stated: str | None, assembly: str) -> str:
    if stated is None:
        return "its header does not say it"
    return f"its header says {'so' if stated == assembly else stated}"


def _not_carried(
    source: Source, calls: Calls, panel: Panel, reference: Reference | None
) -> tuple[Calls, tuple[str, ...]]:
    """What reading with the reference genome does at once: nobody knew that it is of the file's own assembly."""
    notes = (chain_not_needed(panel.assembly),)
    if reference is None:
        return calls, notes
    places = Places(calls.contigs, calls.contig, calls.pos)
    found = align(reference, places, calls.reference, calls.alternate)
    if len(wrong := np.flatnonzero(found.verdict == Verdict.OTHER)):
        row = int(wrong[np.argmin(calls.line[wrong])])
        place = f"{calls.contigs[calls.contig[row]]}:{calls.pos[row]}"
        source.refuse(
            "reference",
            f"line {calls.line[row]}, REF: the reference genome has other bases than {calls.reference[row][:40]} "
            f"at {place}",
            hint=hint_of("vcf.reference"),
        )
    codes = np.array([chromosome_code(contig) for contig in calls.contigs], np.uint8)
    key = variant_keys.variant_keys(codes[calls.contig], found.pos, found.reference, found.alternate)
    aligned = replace(calls, pos=found.pos, key=key, reference=found.reference, alternate=found.alternate)
    unknown = int((found.verdict == Verdict.UNKNOWN).sum())
    return aligned, (*notes, *count_notes([(unknown, UNREFERENCED)]))
