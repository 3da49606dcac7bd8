"""What an import would do, on one screen, before anything is stored: the file, what is kept, who gets it, the risks.

The same as one JSON object for programs. Nothing of it leaves this machine.
"""

from collections import Counter
from dataclasses import dataclass

import msgspec
import numpy as np
from rich.markup import escape

from nebula.cli.console import counted, err, print_json, show_facts
from nebula.cli.identity import Identity, tell_among, tell_identity
from nebula.cli.importing import FirstPolicy, risks, tell_risks
from nebula.clinical.tsv import PhenotypeSheet
from nebula.genome.imported import ImportedCohort, ImportReport
from nebula.genome.panel import Panel
from nebula.protocol.consent_words import in_words
from nebula.protocol.study import PartKind
from nebula.vault.identity import CohortLikeness
from nebula.vault.settings import VaultSettings

LOW_CALL_RATE = 0.5
"""A file that covers fewer of a panel's sites is of little use on it; its owner should know before they agree."""

SHOWN = 6
"""Columns that are left out for one reason and named; the rest of them are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What was read, and under which consent it would be kept."""

    file: str
    genomes: ImportedCohort
    panel: Panel
    phenotypes: PhenotypeSheet | None
    first: FirstPolicy
    settings: VaultSettings
    identity: Identity | None = None
    among: CohortLikeness | None = None
    keeps_original: bool = False

    @property
    def report(self) -> ImportReport:
        """How the first person's genotypes were understood."""
        return self.genomes.report(0)


def show(preview: Preview) -> None:
    """Show it to a person."""
    _tell_file(preview)
    if preview.identity is not None:
        tell_identity(preview.identity)
    _tell_phenotypes(preview.phenotypes, people=len(preview.genomes))
    err.print("[bold]What is kept, and who gets it[/bold]")
    show_facts(_sharing(preview), on=err)
    err.print("[bold]The consent that is proposed[/bold]")
    show_facts(in_words(preview.first.example), on=err)
    tell_risks(preview.first.example, preview.panel.sites)


def show_only(preview: Preview, *, json: bool) -> None:
    """Show it to who asked for no more: on standard output where a program reads it."""
    if json:
        print_json(facts_of(preview))
        return
    show(preview)
    err.print("Nothing was stored: this is what the import would do.")


def facts_of(preview: Preview) -> dict[str, object]:
    """Return it for programs."""
    report, sheet, policy = preview.report, preview.phenotypes, preview.first.example
    rates = preview.genomes.call_rates()
    return {
        "file": preview.file,
        "people": len(preview.genomes),
        "call_rate": {"least": float(rates.min()), "median": float(np.median(rates)), "most": float(rates.max())},
        "sexes": dict(Counter(preview.genomes.sexes)),
        "heterozygosity": report.heterozygosity,
        "identity": None if preview.identity is None else msgspec.to_builtins(preview.identity),
        "among": None if preview.among is None else msgspec.to_builtins(preview.among),
        "report": msgspec.to_builtins(report),
        "phenotypes": [] if sheet is None else [column.name for column in sheet.columns],
        "left_out": {} if sheet is None else dict(sheet.left_out),
        "kept": _sharing(preview),
        "consent": in_words(policy),
        "risks": risks(policy, preview.panel.sites),
    }


def _tell_file(preview: Preview) -> None:
    report, people = preview.report, len(preview.genomes)
    facts = {
        "file": preview.file,
        "format": report.format,
        "assembly": f"{report.assembly}: {report.assembly_by}",
        "people": f"{people:,}",
        "variants": f"{report.variants:,} read, {report.called - report.in_blocks:,} of them called on the panel",
        "panel": f"{preview.panel.name}, version {preview.panel.version} ({preview.panel.panel_id[:12]})",
        "on the panel": f"{report.called:,} of {report.panel_sites:,} sites called ({report.call_rate:.1%})"
        + (f", {report.in_blocks:,} of them in blocks without variants" if report.in_blocks else ""),
        "beyond the panel": f"{counted(report.private_variants, 'variant')} carried",
        "heterozygous": "unknown: no autosomal call"
        if report.heterozygosity is None
        else f"{report.heterozygosity:.1%} of the autosomal calls on the panel",
        "sex, by the X": report.sex,
    }
    err.print("[bold]The file[/bold]" if people == 1 else "[bold]The file, and the first person in it[/bold]")
    show_facts({name: escape(fact) for name, fact in facts.items()}, on=err)
    if people > 1:
        _tell_everyone(preview.genomes, preview.among)
    for note in report.notes:
        err.print(f"  · {note}")
    if report.call_rate < LOW_CALL_RATE:
        err.print(
            f"[bold]Few of the panel's sites are in this file[/bold]: {report.called:,} of {report.panel_sites:,}."
        )
        err.print(
            "  A study sees the record at those alone: what is in no file counts as missing, not as the reference."
        )
    if report.overlooked:
        err.print("[bold]The file breaks rules[/bold]; it is read as far as it leaves no doubt")
    for fault in report.overlooked:
        err.print(f"  · {escape(str(fault))}")


def _tell_everyone(genomes: ImportedCohort, among: CohortLikeness | None) -> None:
    rates, sexes = genomes.call_rates(), Counter(genomes.sexes)
    err.print("[bold]All people in it[/bold]")
    facts = {
        "sites called": f"{rates.min():.1%} to {rates.max():.1%}, median {np.median(rates):.1%}",
        "sex, by the X": ", ".join(f"{sexes[sex]:,} {sex}" for sex in ("female", "male", "unclear") if sexes[sex]),
    }
    show_facts(facts, on=err)
    if among is not None:
        tell_among(among)


def _sharing(preview: Preview) -> dict[str, str]:
    """What becomes of each part: all of them are kept encrypted, and those that the consent offers can be used."""
    offered = preview.first.example.parts
    keepers = f"{preview.settings.threshold} of {len(preview.settings.keepers)} keepers"
    sheet = preview.phenotypes

    def fate(kind: PartKind) -> str:
        if kind in offered:
            return f"encrypted; {keepers} together open it to an attested enclave whose study the consent permits"
        return "encrypted; offered to no study"

    return {
        "storage": escape(preview.settings.storage_url),
        "genotypes on the panel": fate(PartKind.GENOTYPES),
        "every variant": fate(PartKind.VARIANTS),
        "phenotypes": "none" if sheet is None else fate(PartKind.PHENOTYPES),
        "the file as it came": "encrypted to you alone: no keeper has a share of its key, no study can name it"
        if preview.keeps_original
        else "not kept",
        "people and companies": "get results of studies, never the data themselves",
        "the ledger": "a salted commitment, from which nothing can be read",
    }


def _tell_phenotypes(sheet: PhenotypeSheet | None, *, people: int) -> None:
    """Say which columns of a table are taken and how they were read, and which are not, and why."""
    if sheet is None:
        return
    taken = counted(len(sheet.columns), "column")
    err.print(f"[bold]Phenotypes[/bold]: {taken}; a cell without a value is missing, none is guessed")
    for one in sheet.columns:
        values = f"{one.values:,} of {people:,} have a {'number' if one.kind == 'number' else 'category'}"
        strange = f"; {counted(one.unreadable, 'cell')} from line {one.first_unreadable_line} on count as missing"
        err.print(escape(f"  {one.name}: {values}{strange if one.unreadable else ''}"))
    if not sheet.left_out:
        return
    err.print(
        f"[bold]Left out[/bold]: {counted(len(sheet.left_out), 'column')}; --phenotype COLUMN names those to take"
    )
    by_reason: dict[str, list[str]] = {}
    for name, why in sheet.left_out:
        by_reason.setdefault(why, []).append(name)
    for why, names in by_reason.items():
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        err.print(escape(f"  {', '.join(names[:SHOWN])}{more}: {why}"))
