"""What ``record import`` and ``custodian import`` share: what is shown before anybody agrees, and enrolling."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape

from nebula.cli.console import counted, err, show_facts, steps
from nebula.cli.options import ImportOptions
from nebula.clinical.tsv import PhenotypeSheet
from nebula.database import reading as reading_database
from nebula.disclosure.risk import owner_sentence
from nebula.genome.importing import ImportReport
from nebula.genome.panel import Panel
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.consent_words import in_words
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, to_hex
from nebula.protocol.money import TOKEN_WEI
from nebula.vault import state
from nebula.vault.consent import catch_up, first_policy
from nebula.vault.consent_edits import PolicyChange, change, read_change
from nebula.vault.enrol import enrol_all
from nebula.vault.files import open_file
from nebula.vault.finding import find_record
from nebula.vault.import_ import read_phenotype_table
from nebula.vault.opening import OpenVault
from nebula.vault.settings import VaultSettings
from nebula.vault.state import Record, Stage

FLOOR_WEI = TOKEN_WEI
PEOPLE = 1000
"""The study that risks are told for: its real size is not known before there is one."""

LOW_CALL_RATE = 0.5
"""A file that covers fewer of a panel's sites is of little use on it; its owner should know before they agree."""

SHOWN = 6
"""Columns that are left out for one reason and named; the rest of them are counted."""

WAITING = (Stage.STORED, Stage.SPLIT, Stage.ACCEPTED)
_NOBODY: Address = to_hex(bytes(20))


class FirstPolicy:
    """The consent that is proposed for new records: the house's proposal, with what a file says changed."""

    def __init__(self, settings: VaultSettings, file: Path | None) -> None:
        self._settings = settings
        self._wanted = PolicyChange() if file is None else read_change(file)
        self.example = self(_NOBODY, "")

    def __call__(self, record: Address, _label: str) -> ConsentPolicy:
        """Return the first policy of a record."""
        proposed = first_policy(
            record, price_floor_wei=FLOOR_WEI, trust_roots=self._settings.trust_roots, at=datetime.now(UTC)
        )
        return change(proposed, self._wanted)


def tell_file(report: ImportReport, *, people: int) -> None:
    """Say how a file was understood, before anything of it is stored."""
    facts = {
        "format": report.format,
        "assembly": report.assembly,
        "people": f"{people:,}",
        "variants": f"{report.variants:,}",
        "on the panel": f"{report.called:,} of {report.panel_sites:,} sites called ({report.call_rate:.1%})",
        "beyond the panel": f"{counted(report.private_variants, 'variant')} carried",
        "sex, by the X": report.sex,
    }
    err.print("[bold]The file[/bold]" if people == 1 else "[bold]The file, and the first person in it[/bold]")
    show_facts(facts, on=err)
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


def look_for(file: Path, how: ImportOptions) -> None:
    """Make sure that the files are there before anybody is asked for a pass phrase.

    Raises:
        RejectedInputError: one is not, or cannot be read.
    """
    for one in (file, how.phenotypes):
        if one is not None:
            with open_file(one):
                pass


def read_table(how: ImportOptions, samples: list[str]) -> PhenotypeSheet | None:
    """Read the phenotypes of people, if a table of some was named.

    Raises:
        RejectedInputError: the table is not valid, or a column cannot be taken.
    """
    if how.phenotypes is not None:
        return read_phenotype_table(how.phenotypes, samples, wanted=how.phenotype)
    if how.phenotype is not None:
        raise RejectedInputError(
            "phenotypes.table", "--phenotype names a column of no table", hint="add --phenotypes TSV"
        )
    return None


def tell_phenotypes(sheet: PhenotypeSheet | None, *, people: int) -> None:
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


def tell_consent(policy: ConsentPolicy, panel: Panel) -> None:
    """Say what a consent means, and what each class of result that it allows risks."""
    err.print("[bold]The consent that is proposed[/bold]")
    show_facts(in_words(policy), on=err)
    tell_risks(policy, panel.sites)


def tell_risks(policy: ConsentPolicy, variants: int) -> None:
    """Say what each class of result that a policy allows gives away about who took part."""
    err.print("[bold]What results may give away[/bold]")
    err.print(f"in a study of {PEOPLE:,} people on {variants:,} sites that takes the whole privacy budget")
    show_facts(risks(policy, variants), on=err)


def risks(policy: ConsentPolicy, variants: int) -> dict[str, str]:
    """Return the sentence of each result class that a policy allows."""
    budget = policy.privacy_budget_micro_rho
    return {
        kind.value: owner_sentence(kind, people=PEOPLE, variants=variants, micro_rho=budget)
        for kind in policy.result_classes
    }


def enrol(opened: OpenVault) -> None:
    """Take everything that waits to the keepers and the ledger."""
    waiting = sum(count for stage, count in stages(opened).items() if stage in WAITING)
    with steps(waiting) as told:
        enrol_all(opened.vault.engine, opened.vault.owner, opened.network, told=told)


def find_current(opened: OpenVault, wanted: str) -> Record:
    """Return the record that answers to a text, as the ledger has it now; as the vault knew it while that is away."""
    found = find_record(opened.vault.engine, wanted)
    if found.stage is not Stage.REGISTERED:
        return found
    try:
        return catch_up(opened.vault.engine, opened.vault.owner, opened.network, found.record)
    except UnavailableError as error:
        err.print(f"nebula: note: {error.message}; this is what the vault knew last")
        return found
    except NotPermittedError:  # it was withdrawn elsewhere, and the vault has noted so
        return find_record(opened.vault.engine, found.record)


def labels(opened: OpenVault) -> set[str]:
    """Return what the records of a vault are called."""
    with reading_database(opened.vault.engine) as connection:
        return state.labels(connection)


def stages(opened: OpenVault) -> Mapping[str, int]:
    """Return how many records are at each stage."""
    with reading_database(opened.vault.engine) as connection:
        return state.count_by_stage(connection)
