"""What ``record import`` and ``custodian import`` share: the first consent, what it risks, and enrolling."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from nebula.cli.console import err, show_facts, steps
from nebula.cli.options import ImportOptions
from nebula.clinical.tsv import PhenotypeSheet
from nebula.database import reading as reading_database
from nebula.disclosure.risk import owner_sentence
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, to_hex
from nebula.protocol.money import TOKEN_WEI
from nebula.vault import state
from nebula.vault.consent import first_policy
from nebula.vault.consent_edits import PolicyChange, change, read_change
from nebula.vault.current import catch_up, enrol_waiting
from nebula.vault.files import open_file
from nebula.vault.finding import find_record
from nebula.vault.opening import OpenVault
from nebula.vault.reading import read_phenotype_table
from nebula.vault.settings import VaultSettings
from nebula.vault.state import WAITING, Record, Stage

FLOOR_WEI = TOKEN_WEI
PEOPLE = 1000
"""The study that risks are told for: its real size is not known before there is one."""

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
        enrol_waiting(opened.vault.engine, opened.vault.owner, opened.network, told=told)


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
