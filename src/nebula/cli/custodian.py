"""``nebula custodian import``: a whole cohort, one record per person, each with keys and consent of its own."""

from pathlib import Path

from cyclopts import App

from nebula.cli import asking, importing
from nebula.cli.console import counted, err, out, print_json, progress, reading, short, show_table
from nebula.cli.options import OF_VAULT, Json, Lenient, VaultOptions, Yes
from nebula.cli.panel import panels_of
from nebula.clinical.tsv import ColumnReport
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.vault.import_ import Imported, import_donors, read_genomes, read_panel, read_phenotype_table
from nebula.vault.opening import OpenVault, open_vault
from nebula.vault.state import Stage

custodian = App(name="custodian", help="For biobanks and hospitals: act for many donors, each with their own consent.")


@custodian.command(name="import")
def import_(
    cohort: Path,
    *,
    phenotypes: Path | None = None,
    policy: Path | None = None,
    panel: str | None = None,
    new_panel: str | None = None,
    assembly: str | None = None,
    reference: Path | None = None,
    lenient: Lenient = False,
    yes: Yes = False,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Bring in a cohort: one record per sample, with own keys and consent. Done again after a failure, it goes on.

    Args:
        cohort: a VCF or BCF of many people, plain or compressed.
        phenotypes: a table with a line for each person, keyed on sample names.
        policy: a file (TOML or JSON) with what the donors' first consent says differently.
        panel: the panel's name or id; needed where the network has several.
        new_panel: make a panel of the cohort's own sites under this name, and publish it.
        assembly: for --new-panel, where the cohort's header does not say it: GRCh37 or GRCh38.
        reference: the reference genome (FASTA), to check REF alleles and left-align with.
        lenient: read a file that breaks rules as far as it leaves no doubt, and say what was left out.
    """
    opened = open_vault(at.vault_folder, asking.pass_phrase(at.pass_phrase_file))
    chosen = (
        _panel(opened, panel) if new_panel is None else _new_panel(cohort, new_panel, assembly, panel, lenient=lenient)
    )
    first = importing.FirstPolicy(opened.settings, policy)
    with reading(cohort, "reading the cohort") as told:
        genomes = read_genomes(cohort, chosen, reference=reference, lenient=lenient, progress=told)
    tables, columns = read_phenotype_table(phenotypes, list(genomes.samples)) if phenotypes else ({}, ())
    known = importing.labels(opened)
    new = [sample for sample in genomes.samples if sample not in known]
    if new:
        importing.tell_file(genomes.genome(0).report, people=len(genomes))
        _tell_columns(columns, people=len(genomes))
        importing.tell_consent(first.example, chosen)
        asking.agree(f"Do all {len(new):,} donors agree, and shall their records be made?", yes=yes)
    else:
        err.print("All of them are in this vault already; what is missing of their enrolment is done now.")
    if new_panel is not None:
        panels_of(opened.settings).publish(chosen)
    with progress() as bar:
        task = bar.add_task("encrypting, storing", total=len(genomes))
        imported = import_donors(
            opened.vault,
            genomes,
            tables,
            policy_of=first,
            columns=columns,
            progress=lambda done: bar.update(task, completed=done),
        )
    importing.enrol(opened)
    _tell_end(opened, imported, chosen, at, json=json)


def _panel(opened: OpenVault, wanted: str | None) -> Panel:
    try:
        return panels_of(opened.settings).choose(wanted)
    except RejectedInputError as error:
        if error.code != "panel.none":
            raise
        hint = "--new-panel NAME makes one of this cohort's own sites"
        raise RejectedInputError(error.code, error.message, hint=hint) from error


def _new_panel(cohort: Path, name: str, assembly: str | None, other: str | None, *, lenient: bool) -> Panel:
    if other is not None:
        raise RejectedInputError("panel.both", "--panel and --new-panel were both given", hint="give one of them")
    with reading(cohort, "reading its sites") as told:
        return read_panel(cohort, name=name, assembly=assembly, lenient=lenient, progress=told)


def _tell_columns(columns: tuple[ColumnReport, ...], *, people: int) -> None:
    if not columns:
        return
    bad = [one for one in columns if one.unreadable]
    count = f"{len(columns)} column{'' if len(columns) == 1 else 's'}"
    err.print(f"[bold]Phenotypes[/bold]: {count}; a cell without a value is missing, none is guessed")
    for one in sorted(columns, key=lambda one: -one.values)[:8]:
        err.print(f"  {one.name}: {one.values:,} of {people:,} {one.kind} values")
    for one in bad[:8]:
        line = one.first_unreadable_line
        err.print(f"  {one.name}: {one.unreadable} cells are no {one.kind}, from line {line} on; they count as missing")


def _tell_end(opened: OpenVault, imported: Imported, panel: Panel, at: VaultOptions, *, json: bool) -> None:
    stages = importing.stages(opened)
    registered = stages.get(Stage.REGISTERED, 0)
    if json:
        facts = {"new": imported.new, "known": imported.known, "registered": registered, "panel": panel.panel_id}
        print_json(facts | {"stages": stages})
        return
    out.print(f"{counted(imported.new, 'record')} made; {imported.known:,} were here already.")
    show_table(("stage", "records"), [(stage, f"{count:,}") for stage, count in stages.items()], numbers=("records",))
    err.print(f"Panel: {panel.name} ({short(panel.panel_id)}), {panel.sites:,} sites.")
    err.print(f"Next: `nebula record list{at.typed}`")
