"""What a release is decided on, and what it leaves over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nebula.analysis import report
from nebula.disclosure import floors as limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nebula.analysis.inputs import Table
    from nebula.disclosure.floors import Floors
    from nebula.protocol.study import ResultClass


@dataclass(frozen=True, slots=True)
class ReleaseTerms:
    """What the study asked for. ``minimum_records`` is the study's own floor; it can only raise ours."""

    result_class: ResultClass
    minimum_records: int
    micro_rho: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseContext:
    """What the enclave knows for certain when it releases.

    Attributes:
        records: records that are still permitted, and whose people the result is about.
        records_allowing: those of them whose consent allows the class.
        buyer_accredited: by the ledger.
        floors: in force; only a simulated trust root may come with simulated ones.
    """

    records: int
    records_allowing: int
    buyer_accredited: bool
    floors: Floors = field(default=limits.PRODUCTION)


@dataclass(frozen=True, slots=True, eq=False)
class Released:
    """What may leave, and nothing else.

    Attributes:
        analysis: name and version.
        result_class: what it was cut down to.
        table: one row per variant (or degree, or square of a grid) that may be seen.
        quantiles: QQ curve (``expected``, ``observed``) of an association; empty otherwise.
        summary: what else is told; plain numbers and text.
        micro_rho: privacy budget that every record used has spent on this.
        file: name of the table's file, where there are no quantiles.
        more: further tables, by the names of their files.
    """

    analysis: str
    result_class: ResultClass
    table: Table
    quantiles: Table
    summary: dict[str, Any]
    micro_rho: int
    file: str = "frequencies.tsv"
    more: Mapping[str, Table] = field(default_factory=dict)

    def to_files(self) -> dict[str, bytes]:
        """Serialise: file name to bytes. ``report.files_digest`` of it is the result's digest."""
        files = {"metadata.yaml": report.metadata_yaml(self.summary)}
        files |= {name: report.to_tsv(table) for name, table in self.more.items()}
        if self.quantiles:
            return files | {
                "associations.tsv": report.association_tsv(self.table),
                "qq.tsv": report.to_tsv(self.quantiles),
            }
        if self.file == "frequencies.tsv":
            return files | {self.file: report.frequency_tsv(self.table)}
        return files | {self.file: report.to_tsv(self.table)}


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What is left of one analysis' result: see ``Released``. ``found`` goes into the summary."""

    file: str
    table: Table
    quantiles: Table = field(default_factory=dict)
    more: Mapping[str, Table] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)
    micro_rho: int = 0
