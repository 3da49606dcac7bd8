"""From a genome file to records, whatever its format.

Pure: bytes in, bytes out. Nothing is kept of a file that is refused.
"""

from __future__ import annotations

from itertools import chain as joined
from typing import TYPE_CHECKING

from nebula.genome.calls import Calls
from nebula.genome.consumer.calls import calls_on_panel
from nebula.genome.consumer.notes import notes_of
from nebula.genome.consumer.reading import looks_like_consumer_file, read_consumer
from nebula.genome.imported import ImportedCohort
from nebula.genome.inflate import Source
from nebula.genome.lift.carrying import Means, Stated, bring_to_panel
from nebula.genome.lift.chain_files import chain_not_needed
from nebula.genome.record.reading import read_calls
from nebula.genome.unlike import unlike_genotypes
from nebula.genome.vcf.reader import VcfReader
from nebula.genome.vcf_assembly import refuse_stated, stated_assembly
from nebula.genome.vcf_notes import notes_of_reading
from nebula.genome.zipped import unzipped
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nebula.genome.lift.chain import Chain
    from nebula.genome.panel import Panel
    from nebula.genome.reference import Reference


def import_genomes(
    source: Source,
    panel: Panel,
    *,
    reference: Reference | None = None,
    chain: Chain | None = None,
    lenient: bool = False,
) -> ImportedCohort:
    """Read a VCF or BCF of one or many people, or a consumer file of one, onto a panel.

    Args:
        source: the open file, its name, its limits, who wants to hear of progress.
        panel: whose sites the analysis vectors are of.
        reference: of the panel's assembly, to check REF and left-align with; without it, alleles are only trimmed.
        chain: from the file's assembly to the panel's, for files on another one.
        lenient: whether a file that breaks rules is read as far as it leaves no doubt; the report says what was
            overlooked, and what was left out.

    Raises:
        RejectedInputError: ``genome.*``, ``vcf.*`` or ``consumer.*`` with file, line, field and rule.
    """
    source = unzipped(source)
    pieces = source.pieces()
    first = next(pieces)
    whole = joined([first], pieces)
    try:
        if looks_like_consumer_file(first):
            return _import_consumer(_of_kind(source, "consumer"), whole, panel, chain, lenient=lenient)
        if (other := unlike_genotypes(first)) is not None:
            source.refuse("no-genotypes", other.what, hint=other.hint)
        return _import_vcf(_of_kind(source, "vcf"), whole, panel, Means(reference, chain), lenient=lenient)
    except RejectedInputError:
        source.read_on(pieces)
        raise


def import_record(raw: bytes, panel: Panel, *, sample: str) -> ImportedCohort:
    """Read one person's standard record onto a panel: for a record of a VCF, what its file would give there.

    Args:
        raw: the record as Parquet, of positions on the panel's assembly.
        panel: whose sites the analysis vector is of.
        sample: what to call the person.

    Raises:
        RejectedInputError: ``record.malformed``.
    """
    calls = read_calls(raw, sample=sample)
    return ImportedCohort(calls, panel, format_name="standard record", assembly_by="its manifest says it", notes=())


def _of_kind(source: Source, kind: str) -> Source:
    return Source(source.file, source.name, kind, source.limits, source.progress)


def _import_consumer(
    source: Source, pieces: Iterator[bytes], panel: Panel, chain: Chain | None, *, lenient: bool
) -> ImportedCohort:
    file = read_consumer(source, pieces, lenient=lenient)
    on_panel = calls_on_panel(file, panel, source, chain=chain)
    notes = notes_of(file, on_panel, panel.assembly)
    if chain is not None and on_panel.lift is None:
        notes += (chain_not_needed(panel.assembly),)
    found = on_panel.match
    carried = f"carried from {on_panel.assembly or 'another assembly'}; " if on_panel.lift is not None else ""
    proof = f"{carried}its data: {found.fitting:,} of {found.met:,} markers at places of the panel have its alleles"
    return ImportedCohort(
        on_panel.calls,
        panel,
        format_name=file.layout.vendor,
        assembly_by=proof,
        notes=notes,
        overlooked=file.overlooked,
    )


def _import_vcf(
    source: Source, pieces: Iterator[bytes], panel: Panel, means: Means, *, lenient: bool
) -> ImportedCohort:
    # The reference genome is of the panel's assembly: a file that may have to be carried there is held against it then.
    reader = VcfReader(source, pieces, lenient=lenient, reference=means.reference if means.chain is None else None)
    if not reader.header.samples:
        source.refuse("no-genotypes", "the file has no samples", hint="give the file with its genotypes")
    stated = stated_assembly(reader.header)
    if stated not in (None, panel.assembly) and means.chain is None:
        refuse_stated(source, stated, panel)
    batch = reader.whole()
    if not batch.genotyped:
        source.refuse("no-genotypes", "no record has a GT", hint="give the file with its genotypes")
    calls = Calls.of(batch, samples=reader.header.samples, contigs=reader.contigs, filters=reader.filters)
    brought = bring_to_panel(source, calls, panel, means, Stated(stated, batch.other_alleles > 0), lenient=lenient)
    version = f"VCF 4.{reader.header.minor}"
    return ImportedCohort(
        brought.calls,
        panel,
        format_name=f"BCF 2.2 of {version}" if reader.binary else version,
        assembly_by=brought.assembly_by,
        notes=notes_of_reading(batch, brought.calls, aligned=means.reference is not None) + brought.notes,
        overlooked=reader.overlooked + brought.repeated,
        sites=brought.sites,
    )
