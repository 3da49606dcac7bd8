"""The whole story on one machine: from genome files to a paid, audited study.

Nothing in it is special: the story uses the same vault, buyer and processes as everybody, over a network of
:mod:`nebula.localnet.setup`. Only the hardware is simulated and, unless a cohort is given, the people made up.

A story that was interrupted is gone on with by telling it again: every step looks first whether it was done, and a
bookmark names the study under way. One that ended can be followed by another study on the same people.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from nebula.audit import AuditReport, audit_run
from nebula.buyer import Buyer
from nebula.buyer.settings import load_settings as load_buyer
from nebula.ledger.client import LedgerClient, Network
from nebula.localnet.bookmark import Bookmark, open_bookmark, place_bookmark
from nebula.localnet.custodian import enrol_people, import_people, open_custodian, refusals
from nebula.localnet.materials import Materials, read_materials
from nebula.localnet.plot import Plot
from nebula.localnet.settings_files import LocalNetwork
from nebula.localnet.setup import hardware_root, open_network
from nebula.localnet.sightings import Sightings, look_around
from nebula.localnet.study import write_study
from nebula.localnet.teller import Teller
from nebula.localnet.watching import RunWatch
from nebula.protocol.receipt import PublicRun, Receipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import to_canonical
from nebula.vault.consent import withdraw
from nebula.vault.enrol import Network as Others
from nebula.vault.import_ import Imported, Vault
from nebula.vault.joining import join
from nebula.vault.payouts import OwnPayout, all_records, own_payouts
from nebula.vault.settings import load_settings as load_vault
from nebula.vault.state import Stage


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the story came to."""

    imported: Imported
    enrolled: int
    refusals: tuple[tuple[str, tuple[str, ...]], ...]
    study: StudyDocument
    public: PublicRun
    result: ResultBundle
    payouts: tuple[OwnPayout, ...]
    claimed: int
    audit: AuditReport
    seen: Sightings

    @property
    def receipt(self) -> Receipt:
        """The run's receipt."""
        return self.public.signed.receipt

    @property
    def withdrawn(self) -> int:
        """Records whose consent ended while the run was on: they had matched, and were left out."""
        reasons = self.public.statement.dropped
        return reasons.get("withdrawn", 0) + reasons.get("refused", 0)


def tell_story(plot: Plot, teller: Teller) -> Outcome:
    """Live through the story once, or go on with it.

    Raises:
        NebulaError: what went wrong, as its party says it.
    """
    bookmark = open_bookmark(plot.folder, plot.cast)
    with teller.step("network", "A ledger, three keepers, a hub and a host for enclaves start, each by itself"):
        local = open_network(plot.folder, tell=teller.say)
        place_bookmark(plot.folder, bookmark)
    with teller.step("import", "The custodian's vault reads genomes, standardises and encrypts them, person by person"):
        materials = read_materials(plot, say=teller.say)
        vault = open_custodian(plot.folder)
        imported = import_people(plot, local, vault, materials, teller)
    others = join(load_vault(plot.folder / "vault"))
    with teller.step("enrol", "Each record's keys are split among the keepers, a salted commitment goes on the ledger"):
        enrolled = enrol_people(vault, others, teller)
    buyer = Buyer(load_buyer(plot.folder / "buyer" / "settings.json"), plot.folder / "buyer")
    with teller.step("publish", "A verified buyer publishes a study, sees how many match, and locks the money"):
        bookmark = _choose_study(plot, local, buyer, bookmark, vault, materials)
        study = _under_way(bookmark)
        published = buyer.publish(study)
        teller.say(f"{published.matching} records match, the hub says before anything is paid")
        buyer.fund(study)
    with teller.step("run", "An enclave attests itself; keepers check consents and release keys; it computes"):
        public = _run(local, buyer, vault, others, bookmark, teller)
        place_bookmark(plot.folder, Bookmark(cast=plot.cast))
    with teller.step("result", "The buyer opens the result, which only their key can"):
        result = buyer.result(public.signed.receipt)
    ledger = Network(LedgerClient(local.ledger_url), local.addresses)
    with teller.step("payouts", "Each owner finds their payout, at an address that only they can recognise"):
        earned = tuple(own_payouts(vault.engine, vault.owner, others.hub, public))
        claimed = _claimed(ledger, public)
    with teller.step("audit", "An auditor re-computes it all from the ledger and public files"):
        report = audit_run(public, ledger, [hardware_root(plot.folder)], result=to_canonical(result))
    refused = refusals(vault, study, ledger)
    seen = look_around(plot.folder, ledger, public, enrolled=enrolled, result_bytes=len(to_canonical(result)))
    return Outcome(imported, enrolled, refused, study, public, result, earned, claimed, report, seen)


def _choose_study(  # noqa: PLR0917 - who takes part in it
    plot: Plot, local: LocalNetwork, buyer: Buyer, bookmark: Bookmark, vault: Vault, materials: Materials
) -> Bookmark:
    """Return the bookmark with the study under way: the one that was interrupted, or a new one.

    A study names the code that may run it. What another version of the program began, nobody here can end; its escrow
    goes back after its deadline.
    """
    begun_study = bookmark.study
    if (
        begun_study is not None
        and begun_study.deadline_at > datetime.now(UTC)
        and begun_study.measurement == local.measurement
    ):
        return bookmark
    registered = [record for record in all_records(vault.engine) if record.stage is Stage.REGISTERED]
    study = write_study(plot, local, buyer, panel=materials.panel.panel_id, people=len(registered))
    # One leaves in the first study, nobody in the next: over all but one more the buyer would get no second result.
    begun = any(record.stage is Stage.WITHDRAWN for record in all_records(vault.engine))
    leaving = None if begun else max(registered, key=lambda record: record.donor or 0).record
    chosen = msgspec.structs.replace(bookmark, study=study, withdrawing=leaving)
    place_bookmark(plot.folder, chosen)
    return chosen


def _under_way(bookmark: Bookmark) -> StudyDocument:
    assert bookmark.study is not None  # noqa: S101 - chosen just now
    return bookmark.study


def _run(  # noqa: PLR0917 - who takes part in it
    local: LocalNetwork, buyer: Buyer, vault: Vault, others: Others, bookmark: Bookmark, teller: Teller
) -> PublicRun:
    watch = RunWatch(local.hub_url, buyer.run(_under_way(bookmark)).run)
    watch.until_begun()
    leaving = bookmark.withdrawing
    gone = {record.record for record in all_records(vault.engine) if record.stage is Stage.WITHDRAWN}
    if leaving is not None and leaving not in gone:
        withdraw(vault.engine, vault.owner, others, [leaving])
        teller.say("while the run is on, one owner withdraws: one signed message, in force with its block")
    return watch.until_paid(lambda told, detail: _tell_run(teller, told, detail))


def _tell_run(teller: Teller, told: str, detail: str) -> None:
    stage, _, numbers = detail.partition(" ")
    done, _, total = numbers.partition("/")
    if stage == "assembling" and done.isdecimal() and total.isdecimal():
        teller.count(stage, int(done), int(total))
    else:
        teller.say(f"{told} {detail}".rstrip())


def _claimed(ledger: Network, public: PublicRun) -> int:
    indices = [payout.index for payout in public.payouts]
    return sum(ledger.studies.are_claimed(public.signed.receipt.study, indices))
