"""What ``record import`` and ``custodian import`` share: what is shown before anybody agrees, and enrolling."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape

from nebula.cli.console import err, show_facts, steps
from nebula.database import reading as reading_database
from nebula.disclosure.risk import owner_sentence
from nebula.genome.importing import ImportReport
from nebula.genome.panel import Panel
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.consent_words import in_words
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.ids import Address, to_hex
from nebula.protocol.money import TOKEN_WEI
from nebula.vault import state
from nebula.vault.consent import catch_up, first_policy
from nebula.vault.consent_edits import PolicyChange, change, read_change
from nebula.vault.enrol import enrol_all
from nebula.vault.finding import find_record
from nebula.vault.opening import OpenVault
from nebula.vault.settings import VaultSettings
from nebula.vault.state import Record, Stage

FLOOR_WEI = TOKEN_WEI
PEOPLE = 1000
"""The study that risks are told for: its real size is not known before there is one."""

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
        "beyond the panel": f"{report.private_variants:,} variants carried",
        "sex, by the X": report.sex,
    }
    err.print("[bold]The file[/bold]" if people == 1 else "[bold]The file, and the first person in it[/bold]")
    show_facts(facts, on=err)
    for note in report.notes:
        err.print(f"  · {note}")
    if report.overlooked:
        err.print("[bold]The file breaks rules[/bold]; it is read as far as it leaves no doubt")
    for fault in report.overlooked:
        err.print(f"  · {escape(str(fault))}")


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
