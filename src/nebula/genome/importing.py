"""From a genome file to records: what is stored of each person in it, and a report on how that went.

Pure: bytes in, bytes out. Nothing is kept of a file that is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain as joined
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from nebula import _native
from nebula.genome.autosomes import autosomal_part, compared
from nebula.genome.calls import Calls
from nebula.genome.carrying import Means, Stated, bring_to_panel
from nebula.genome.chain_files import chain_not_needed
from nebula.genome.consumer import looks_like_consumer_file, read_consumer
from nebula.genome.consumer_calls import calls_on_panel
from nebula.genome.consumer_notes import notes_of
from nebula.genome.counting import count_calls
from nebula.genome.inflate import Source
from nebula.genome.record.parquet import RecordWriter
from nebula.genome.record.reading import read_calls
from nebula.genome.record.vector import AnalysisVector
from nebula.genome.sex import guess_sex
from nebula.genome.unlike import unlike_genotypes
from nebula.genome.vcf.overlooked import Overlooked  # noqa: TC001 - msgspec reads it
from nebula.genome.vcf.reader import VcfReader
from nebula.genome.vcf_assembly import refuse_stated, stated_assembly
from nebula.genome.vcf_notes import notes_of_counting, notes_of_reading
from nebula.genome.zipped import unzipped
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.liftover import Chain
    from nebula.genome.matrix import PackedMatrix
    from nebula.genome.panel import Panel
    from nebula.genome.reference import Reference


class ImportReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was understood of one person's genotypes.

    ``variants`` counts the rows of the record, ``called`` the panel's sites with a genotype, ``in_blocks`` those of
    them that have no row and lie in a block without variants. ``autosomal`` counts are of chromosomes 1 to 22 alone.
    ``assembly_by`` says how the assembly is known. ``notes`` are sentences for the person: what was left out, and what
    to do about it. ``overlooked`` are the rules that the file breaks, where it was read leniently.
    """

    format: str
    assembly: str
    assembly_by: str
    panel: str
    panel_sites: int
    variants: int
    called: int
    in_blocks: int
    heterozygous: int
    homozygous_alternate: int
    autosomal_called: int
    autosomal_heterozygous: int
    private_variants: int
    sex: str
    notes: tuple[str, ...]
    overlooked: tuple[Overlooked, ...] = ()

    @property
    def call_rate(self) -> float:
        """Share of the panel's sites that have a genotype."""
        return self.called / self.panel_sites

    @property
    def heterozygosity(self) -> float | None:
        """Share of the autosomal calls on the panel that are heterozygous; None where there is no call."""
        return self.autosomal_heterozygous / self.autosomal_called if self.autosomal_called else None


@dataclass(frozen=True, slots=True, eq=False)
class ImportedGenome:
    """One person: the analysis vector and the standard record, both serialised."""

    sample: str
    vector: bytes
    parquet: bytes
    report: ImportReport


class ImportedCohort:
    """All people of one file; each one's record is made when it is asked for.

    ``sites`` are what ``calls.locate`` says, where that was asked before.
    """

    def __init__(
        self,
        calls: Calls,
        panel: Panel,
        *,
        format_name: str,
        assembly_by: str,
        notes: tuple[str, ...],
        overlooked: tuple[Overlooked, ...] = (),
        sites: NDArray[np.int64] | None = None,
    ) -> None:
        self.samples = calls.samples
        self._calls = calls
        self._panel = panel
        self._assembly_by = assembly_by
        self.sexes = guess_sex(calls, panel.assembly)
        counted = count_calls(calls, self.sexes, panel.assembly)
        self._format, self.notes = format_name, notes + notes_of_counting(counted)
        self._overlooked = overlooked
        self._sites = calls.locate(panel) if sites is None else sites
        self._on_panel = counted.calls.on_panel(panel, self._sites)
        self._counts = self._on_panel.counts()
        self._in_blocks = self._count_in_blocks(counted.calls)
        self._off_panel = np.flatnonzero((self._sites < 0) & (calls.key != 0))
        self._private = _native.transpose_matrix(
            np.ascontiguousarray(counted.calls.codes.packed[self._off_panel]), len(calls.samples)
        )
        self._writer: RecordWriter | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[ImportedGenome]:
        return map(self.genome, range(len(self)))

    def vector(self, person: int) -> AnalysisVector:
        """One person's analysis vector alone, without making the record."""
        codes = _native.unpack(self._private[person : person + 1], len(self._off_panel))[0]
        carried = np.flatnonzero(codes > 0)
        keys, first = np.unique(self._calls.key[self._off_panel[carried]], return_index=True)
        private = _native.pack(np.ascontiguousarray(codes[carried[first]].reshape(1, -1)))
        return AnalysisVector(
            self._panel.panel_id, self._panel.sites, self._on_panel.packed[person].tobytes(), keys, private.tobytes()
        )

    def says_nothing(self) -> bool:
        """Whether no variant of the file is left, and nobody has a genotype on the panel."""
        return self._calls.rows == 0 and bool((self._counts[:, 3] == self._panel.sites).all())

    def call_rates(self) -> NDArray[np.float64]:
        """Everyone's share of the panel's sites that have a genotype, shape (people,)."""
        rates: NDArray[np.float64] = 1 - self._counts[:, 3] / self._panel.sites
        return rates

    def compared(self, *, most_sites: int) -> PackedMatrix:
        """Everyone's codes at so many autosomal sites at most: one row for each site, one column for each person."""
        return compared(self._on_panel.packed, self._panel, most_sites=most_sites)

    def genome(self, person: int) -> ImportedGenome:
        """One person's record and report."""
        if self._writer is None:
            self._writer = RecordWriter(self._calls, assembly=self._panel.assembly)
        vector = self.vector(person)
        report = self._report(person, len(vector.private_keys))
        return ImportedGenome(self.samples[person], vector.to_bytes(), self._writer.write(person), report)

    def report(self, person: int) -> ImportReport:
        """One person's report alone, without making the record."""
        return self._report(person, len(self.vector(person).private_keys))

    def _count_in_blocks(self, calls: Calls) -> int:
        """Sites that only a block calls; files of several people have none."""
        if not len(calls.blocks):
            return 0
        in_rows = int((calls.codes.dosage(np.flatnonzero(self._sites >= 0)) >= 0).sum())
        return self._panel.sites - int(self._counts[0, 3]) - in_rows

    def _report(self, person: int, private: int) -> ImportReport:
        _, heterozygous, homozygous, missing = self._counts[person].tolist()
        autosomal = autosomal_part(self._on_panel.packed[person : person + 1], self._panel).counts()[0].tolist()
        return ImportReport(
            format=self._format,
            assembly=self._panel.assembly,
            assembly_by=self._assembly_by,
            panel=self._panel.panel_id,
            panel_sites=self._panel.sites,
            variants=self._calls.rows,
            called=self._panel.sites - missing,
            in_blocks=self._in_blocks,
            heterozygous=heterozygous,
            homozygous_alternate=homozygous,
            autosomal_called=sum(autosomal[:3]),
            autosomal_heterozygous=autosomal[1],
            private_variants=private,
            sex=self.sexes[person],
            notes=self.notes,
            overlooked=self._overlooked,
        )


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
