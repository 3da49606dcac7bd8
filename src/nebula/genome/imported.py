"""What is stored of each person in a genome file: the analysis vector, the standard record, and a report of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from nebula import _native
from nebula.genome.autosomes import autosomal_part, compared
from nebula.genome.counting import count_calls
from nebula.genome.record.parquet import RecordWriter
from nebula.genome.record.vector import AnalysisVector
from nebula.genome.sex import guess_sex
from nebula.genome.vcf.overlooked import Overlooked  # noqa: TC001 - msgspec reads it
from nebula.genome.vcf_notes import notes_of_counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.matrix import PackedMatrix
    from nebula.genome.panel import Panel


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
        sites: NDArray[np.int32] | None = None,
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
        self._off_panel = calls.off_panel(self._sites)
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
        keys, codes = self._calls.key[self._off_panel[carried]], codes[carried]
        if not (keys[1:] > keys[:-1]).all():
            keys, first = np.unique(keys, return_index=True)
            codes = codes[first]
        private = _native.pack(np.ascontiguousarray(codes.reshape(1, -1)))
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
