"""What an owner's report is computed from: their record, and the files that they give, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nebula.analysis.scoring_file import ScoringFile
from nebula.genome.meanings import Meaning
from nebula.genome.panel import Panel
from nebula.genome.record.person import PersonalCalls
from nebula.genome.record.vector import parse_vector
from nebula.genome.star_alleles import StarAllele
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.record import Manifest, Part
from nebula.protocol.study import PartKind
from nebula.storage.panels import PanelShelf
from nebula.vault.import_ import Vault
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.report_files import (
    Given,
    ReferenceCohort,
    check_build,
    read_cohort,
    read_score,
    read_star_tables,
    read_table,
)
from nebula.vault.state import Record


@dataclass(frozen=True, slots=True, eq=False)
class ReportInputs:
    """All that a report is computed from. ``codes``: those of the record's vector on ``panel``, packed."""

    person: PersonalCalls
    panel: Panel
    codes: bytes | memoryview
    cohort: ReferenceCohort | None
    scores: Sequence[tuple[Path, ScoringFile]]
    meanings: tuple[Meaning, ...]
    star_alleles: tuple[StarAllele, ...]


def read_inputs(vault: Vault, record: Record, panels: PanelShelf, given: Given) -> ReportInputs:
    """Read the files, and one of the vault's records.

    Raises:
        RejectedInputError: a file is missing, not valid, or on another assembly than the record; or the record is not
            on the panel that was asked for.
        UnavailableError: the record's storage is away.
        IntegrityError: it altered the record.
    """
    # Files before the record: whoever named a wrong one should not wait for the rest.
    _check_complete(given)
    tables = [read_table(file) for file in given.meanings]
    stars = read_star_tables(given.star_alleles)
    scores = [(file, read_score(file, without_complex=given.without_complex)) for file in given.scores]
    manifest = manifest_of(vault.owner, record)
    genotypes, panel = _chosen(manifest, record, panels, given.panel)
    variants = next(part for part in manifest.parts if part.kind is PartKind.VARIANTS)
    assembly = variants.assembly or panel.assembly
    for file, (build, _) in zip(given.meanings, tables, strict=True):
        check_build(file, build, assembly, say_it=f"write #build={assembly} above its columns")
    if stars and assembly != "GRCh38":
        raise RejectedInputError("report.assembly", f"star alleles are told on GRCh38, and the record is on {assembly}")
    for file, score in scores:
        check_build(file, score.build or given.score_build, assembly, say_it=f"add --score-build {assembly}")
    return ReportInputs(
        person=PersonalCalls.of(read_part(vault.owner, record, variants), assembly),
        panel=panel,
        codes=parse_vector(read_part(vault.owner, record, genotypes), panel).codes,
        cohort=None if given.cohort is None else read_cohort(given.cohort, given.groups, assembly),
        scores=scores,
        meanings=tuple(meaning for _, rows in tables for meaning in rows),
        star_alleles=stars,
    )


def _check_complete(given: Given) -> None:
    if given.cohort is not None:
        return
    if given.scores:
        raise RejectedInputError(
            "report.cohort",
            "a score says nothing without other people's scores to compare it with",
            hint="add --cohort PEOPLE.vcf.gz, a cohort of reference people such as the 1000 Genomes Project's",
        )
    if given.groups is not None:
        raise RejectedInputError(
            "report.groups",
            "--groups says which group the people of a cohort are of",
            hint="add --cohort PEOPLE.vcf.gz",
        )


def _chosen(manifest: Manifest, record: Record, panels: PanelShelf, wanted: str | None) -> tuple[Part, Panel]:
    """The vector whose calls are told, and its panel: the wanted one, or the one that the record was put on last."""
    vectors = [part for part in manifest.parts if part.kind is PartKind.GENOTYPES]
    panel = panels.choose(wanted or vectors[-1].panel)
    part = next((part for part in vectors if part.panel == panel.panel_id), None)
    if part is None:
        raise RejectedInputError(
            "report.panel",
            f"record {record.label!r} is not on panel {panel.name}@{panel.version}",
            hint="`nebula record rederive RECORD --panel PANEL` puts it there",
        )
    return part, panel
