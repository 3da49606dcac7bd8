"""``nebula custodian import|rederive``: a whole cohort, one record each, with keys and consent of its own."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median

from cyclopts import App
from rich.progress import Progress

from nebula.cli import asking, importing, preview
from nebula.cli.console import counted, err, out, print_json, progress, reading, short, show_table
from nebula.cli.hints import tell
from nebula.cli.options import OF_IMPORT, OF_VAULT, ImportOptions, Json, VaultOptions, Yes
from nebula.cli.owning import open_own
from nebula.cli.panel import panels_of
from nebula.cli.preview import LOW_CALL_RATE, Preview
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.storage.panels import called
from nebula.vault.identity import compare_among
from nebula.vault.import_ import Imported, import_donors
from nebula.vault.opening import OpenVault
from nebula.vault.reading import read_genomes, read_panel
from nebula.vault.rederive import rederive_all
from nebula.vault.state import Stage

custodian = App(name="custodian", help="For biobanks and hospitals: act for many donors, each with their own consent.")


@custodian.command(name="import")
def import_(
    cohort: Path,
    *,
    new_panel: str | None = None,
    assembly: str | None = None,
    how: ImportOptions = OF_IMPORT,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Bring in a cohort: one record per sample, with own keys and consent. Done again after a failure, it goes on.

    Args:
        cohort: a VCF or BCF of many people, plain or compressed, or the .bed or .pgen of a PLINK file set.
        new_panel: make a panel of the cohort's own sites under this name; studies need it published.
        assembly: for --new-panel, where the cohort's header does not say it: GRCh37 or GRCh38.
    """
    importing.look_for(cohort, how)
    opened = open_own(at)
    chosen = _panel(opened, how) if new_panel is None else _new_panel(cohort, new_panel, assembly, how)
    first = importing.FirstPolicy(opened.settings, how.policy)
    with reading(cohort, "reading the cohort") as told:
        genomes = read_genomes(
            cohort, chosen, reference=how.reference, chain=how.chain, lenient=how.lenient, progress=told
        )
    sheet = importing.read_table(how, list(genomes.samples))
    seen = Preview(
        file=cohort.name,
        genomes=genomes,
        panel=chosen,
        phenotypes=sheet,
        first=first,
        settings=opened.settings,
        among=compare_among(genomes),
    )
    if how.dry_run:
        preview.show_only(seen, json=json)
        return
    known = importing.labels(opened)
    new = [sample for sample in genomes.samples if sample not in known]
    if new:
        preview.show(seen)
        asking.agree(f"Shall {counted(len(new), 'record')} be made, and has every donor agreed?", yes=how.yes)
    else:
        err.print("All of them are in this vault already; what is missing of their enrolment is done now.")
    with progress() as bar:
        task = bar.add_task("encrypting, storing", total=len(genomes))
        imported = import_donors(
            opened.vault,
            genomes,
            sheet.tables if sheet else {},
            policy_of=first,
            progress=lambda done: bar.update(task, completed=done),
        )
    if new_panel is not None:
        panels_of(opened.settings).put(chosen)
    before = importing.stages(opened).get(Stage.REGISTERED, 0)
    importing.enrol(opened)
    _tell_end(opened, imported, chosen, before=before, is_new_panel=new_panel is not None, json=json)


@custodian.command
def rederive(*, panel: str, yes: Yes = False, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """Put every donor's record on a further panel, from its standard record. Done again after a failure, it goes on.

    Nothing is uploaded again but the new vectors; consents stay as they are, and so do the panels that there were.
    Records that wait go on to the ledger first. Then, before anybody is put on it, you see how many of its sites
    the records would have; --yes does not look.

    Args:
        panel: the panel's name, NAME@VERSION or id.
    """
    opened = open_own(at)
    chosen = panels_of(opened.settings).choose(panel)
    with progress() as bar:
        task = bar.add_task("deriving, storing", visible=False)
        donors = rederive_all(
            opened.vault,
            opened.network,
            chosen,
            agree=None if yes else partial(_agree_to_rates, bar, chosen),
            enrol=partial(importing.enrol, opened),
            progress=lambda done, of: bar.update(task, completed=done, total=of, visible=True),
        )
    if json:
        print_json({"panel": chosen.panel_id, "stages": importing.stages(opened), **asdict(donors)})
        return
    out.print(
        f"{counted(donors.new, 'record')} put on panel {called(chosen)}; {donors.known:,} on it already.", markup=False
    )
    if donors.mean is not None and donors.lowest is not None:
        err.print(f"They have {donors.mean:.1%} of its sites on average, {donors.lowest:.1%} at least.")


def _agree_to_rates(bar: Progress, panel: Panel, rates: Sequence[float]) -> None:
    bar.stop()  # it would write over the question
    for line in rates_in_words(rates, panel):
        err.print(line, markup=False)
    question = f"Shall {counted(len(rates), 'record')} be put on it?"
    asking.agree(question, yes=False, declined="nobody was put on it, and nothing else that you own has changed")
    bar.start()


def rates_in_words(rates: Sequence[float], panel: Panel) -> list[str]:
    """Say what share of a panel's sites records would have, and of how many it would be few."""
    of = f"Of the {panel.sites:,} sites of {called(panel)}, {counted(len(rates), 'record')} would have"
    lines = [f"{of} {min(rates):.1%} at least, {median(rates):.1%} in the median."]
    few = sum(rate < LOW_CALL_RATE for rate in rates)
    if few:
        lines.append(f"{few:,} of them would have less than half: on this panel they are of little use.")
    return lines


def made_in_words(new: int, known: int, *, registered_now: int) -> str:
    """Say how many of a cohort's records were made now and how many before, and what became of those."""
    if not known:
        return f"{counted(new, 'record')} made."
    all_before = "it was made before" if known == 1 else "all were made before"
    made = f"{new:,} made now, {known:,} before" if new else all_before
    waited = max(0, registered_now - new)
    went_on = f"; {waited:,} that had waited here went on to the ledger" if waited else ""
    return f"{counted(new + known, 'record')}: {made}{went_on}."


def _panel(opened: OpenVault, how: ImportOptions) -> Panel:
    try:
        return panels_of(opened.settings).choose(how.panel)
    except RejectedInputError as error:
        if error.code != "panel.none":
            raise
        hint = "--new-panel NAME makes one of this cohort's own sites"
        raise RejectedInputError(error.code, error.message, hint=hint) from error


def _new_panel(cohort: Path, name: str, assembly: str | None, how: ImportOptions) -> Panel:
    if how.panel is not None:
        raise RejectedInputError("panel.both", "--panel and --new-panel were both given", hint="give one of them")
    if how.chain is not None:
        raise RejectedInputError(
            "panel.chain",
            "a new panel is made of the cohort's own sites, on its own assembly: nothing is carried to another",
            hint="leave --chain out, or give --panel with a panel of the assembly that it leads to",
        )
    with reading(cohort, "reading its sites") as told:
        return read_panel(
            cohort, name=name, assembly=assembly, reference=how.reference, lenient=how.lenient, progress=told
        )


def _tell_end(
    opened: OpenVault, imported: Imported, panel: Panel, *, before: int, is_new_panel: bool, json: bool
) -> None:
    stages = importing.stages(opened)
    registered = stages.get(Stage.REGISTERED, 0)
    if json:
        facts = {"new": imported.new, "known": imported.known, "registered": registered, "panel": panel.panel_id}
        print_json(facts | {"registered_now": registered - before, "stages": stages})
        return
    out.print(made_in_words(imported.new, imported.known, registered_now=registered - before))
    show_table(("stage", "records"), [(stage, f"{count:,}") for stage, count in stages.items()], numbers=("records",))
    err.print(f"Panel: {panel.name} ({short(panel.panel_id)}), {panel.sites:,} sites.")
    if is_new_panel:
        tell(
            f"Studies run on it once its operator has published it: `nebula panel publish {shlex.quote(called(panel))}`"
        )
    tell("Next: `nebula record list`")
