"""``nebula record report``: what an owner's own record says about them, made here and sent nowhere."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.markup import escape

from nebula.cli.console import err, out, print_json, show_facts, show_table
from nebula.cli.options import OF_VAULT, Json, VaultOptions
from nebula.cli.owning import open_own
from nebula.cli.panel import panels_of
from nebula.protocol.errors import RejectedInputError
from nebula.vault.files import private_file
from nebula.vault.finding import find_record
from nebula.vault.report import Drawn, OwnReport, make_report
from nebula.vault.report_files import Given
from nebula.vault.report_words import (
    STAR_HEADINGS,
    ancestry_words,
    cautions,
    finding_words,
    quality_words,
    score_words,
    star_rows,
)

Files = Annotated[tuple[Path, ...] | None, Parameter(negative="")]


def report(
    record: str,
    *,
    panel: str | None = None,
    cohort: Path | None = None,
    groups: Path | None = None,
    score: Files = None,
    score_build: str | None = None,
    without_complex: Annotated[bool, Parameter(negative="")] = False,
    meanings: Files = None,
    star_alleles: Files = None,
    html: Path | None = None,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Read your own record: its quality, and with files that you give ancestry, scores and what alleles mean.

    Everything is computed on this machine. Nothing is sent to anybody, and no study knows of it.

    Args:
        record: its id, a prefix of it, or its label.
        panel: on which of the record's panels its calls are counted: name, NAME@VERSION or id; without it the newest.
        cohort: a VCF of reference people, such as the 1000 Genomes Project's, on the record's assembly.
        groups: a tab-separated table of which group each of these people is of; its first column is the sample.
        score: a scoring file of the PGS Catalog; may be given several times.
        score_build: GRCh37 or GRCh38, where a scoring file does not say.
        without_complex: leave rows of a score out that are no single variant.
        meanings: a tab-separated table of what alleles mean: chrom, pos, ref, alt, allele, meaning; may be given
            several times.
        star_alleles: a gene's table of PharmVar, with positions on GRCh38; may be given several times.
        html: a new file for the report as one page with plots.
    """
    opened = open_own(at)
    found = find_record(opened.vault.engine, record)
    given = Given(
        panel=panel,
        cohort=cohort,
        groups=groups,
        scores=score or (),
        meanings=meanings or (),
        star_alleles=star_alleles or (),
        score_build=score_build,
        without_complex=without_complex,
    )
    made, drawn = make_report(opened.vault, found, panels_of(opened.settings), given)
    if html is not None:
        _write(made, drawn, html)
    if json:
        print_json(msgspec.to_builtins(made) | {"cautions": cautions(made)})
        return
    _show(made)
    if html is not None:
        out.print(f"\nThe report with its plots: {escape(str(html))}. It is not encrypted.")


def _write(made: OwnReport, drawn: Drawn, file: Path) -> None:
    try:
        from nebula.portal.own_report import page  # noqa: PLC0415 - plots need an extra that not every owner has
    except ModuleNotFoundError as error:
        raise RejectedInputError(
            "report.plots", "the page with plots needs more of Nebula", hint="install `nebula-network[demo]`"
        ) from error
    with private_file(file, kind="report") as opened:
        opened.write(page(made, drawn).encode())


def _show(made: OwnReport) -> None:
    out.print("[bold]Your record[/bold]")
    show_facts(quality_words(made.quality))
    if made.ancestry is not None:
        out.print("\n[bold]Ancestry[/bold]")
        out.print(ancestry_words(made.ancestry), markup=False)
    if made.scores:
        out.print("\n[bold]Scores[/bold]")
        show_facts({score.name: score_words(score) for score in made.scores})
    if made.findings:
        out.print("\n[bold]What your tables say[/bold]")
        rows = [
            (
                one.meaning.gene,
                one.meaning.rsid or f"{one.meaning.chromosome}:{one.meaning.pos}",
                one.meaning.allele,
                finding_words(one),
                one.meaning.kind,
                one.meaning.meaning,
            )
            for one in made.findings
        ]
        show_table(("gene", "variant", "allele", "you", "kind", "meaning"), rows)
    if made.star_alleles:
        out.print("\n[bold]Star alleles[/bold]")
        show_table(STAR_HEADINGS, star_rows(made.star_alleles))
    err.print("\n[bold]Read this, too[/bold]")
    for caution in cautions(made):
        err.print(f"  · {caution}", soft_wrap=False)
