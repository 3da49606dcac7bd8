"""The whole story on one machine: from genome files to a paid, audited study.

Nothing in it is special: the story uses the same vault, buyer and processes as everybody, over a network of
:mod:`nebula.localnet.setup`. Only the hardware is simulated and, unless a cohort is given, the people made up.
"""

import gzip
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from nebula.attestation.roots import TrustRoot
from nebula.audit import AuditReport, audit_run
from nebula.buyer import Buyer
from nebula.buyer.settings import load_settings as load_buyer
from nebula.database import open_database, reading
from nebula.genome.building import build_panel
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.ledger.client import LedgerClient, Network
from nebula.ledger.client.organizations import Role
from nebula.localnet.bgzf import compress
from nebula.localnet.population import make_population, to_phenotypes, to_vcf
from nebula.localnet.settings_files import LocalNetwork
from nebula.localnet.setup import open_network
from nebula.localnet.watching import RunWatch
from nebula.protocol.consent import ConsentPolicy, permits
from nebula.protocol.duo import Permission, Purpose
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.ids import Address
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.money import TOKEN_WEI, from_wei, to_wei
from nebula.protocol.receipt import PublicRun, Receipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.study import BuyerFacts, PartKind, PurposeTerms, ResultClass, StudyDocument, StudyTerms
from nebula.protocol.wire import to_canonical
from nebula.storage import LocalStorage, open_storage
from nebula.vault import state
from nebula.vault.consent import first_policy, withdraw
from nebula.vault.enrol import enrol_all
from nebula.vault.import_ import Imported, Vault, import_donors, read_genomes, read_phenotype_table
from nebula.vault.joining import join
from nebula.vault.payouts import OwnPayout, all_records, own_payouts
from nebula.vault.seed import load_keys, save_seed
from nebula.vault.settings import load_settings as load_vault
from nebula.vault.state import Stage

PRICE_WEI = 2 * TOKEN_WEI
FEE_WEI = 50 * TOKEN_WEI
MADE_UP_TRAIT = "trait"
DEADLINE_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What the story is about."""

    folder: Path
    people: int = 300
    cohort: Path | None = None
    phenotypes: Path | None = None
    trait: str = MADE_UP_TRAIT
    analysis: str = "gwas-linear"
    pcs: int = 4
    result_class: ResultClass | None = None
    seed: int = 1


@dataclass(slots=True)
class Teller:
    """Who listens: sentences, numbers of a long step, and how long each step took."""

    say: Callable[[str], None]
    count: Callable[[str, int, int], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the story came to."""

    imported: Imported
    refusals: tuple[tuple[str, tuple[str, ...]], ...]
    study: StudyDocument
    public: PublicRun
    result: ResultBundle
    payouts: tuple[OwnPayout, ...]
    claimed: int
    audit: AuditReport

    @property
    def receipt(self) -> Receipt:
        """The run's receipt."""
        return self.public.signed.receipt


def tell_story(plot: Plot, teller: Teller) -> Outcome:
    """Live through the story once.

    Raises:
        NebulaError: what went wrong, as its party says it.
    """
    with teller.step("network"):
        local = open_network(plot.folder, tell=teller.say)
    with teller.step("import"):
        vault = _open_vault(plot)
        panel, imported = _import(plot, local, vault, teller)
    with teller.step("enrol"):
        total = sum(_stages(vault).values())
        done = _Counter(lambda count: teller.count("enrolling", count, total))
        others = join(load_vault(plot.folder / "vault"))
        enrol_all(vault.engine, vault.owner, others, done=done.add)
    buyer = Buyer(load_buyer(plot.folder / "buyer" / "settings.json"), plot.folder / "buyer")
    with teller.step("publish"):
        study = _write_study(plot, local, buyer, panel, total)
        published = buyer.publish(study)
        teller.say(f"the buyer sees {published.matching} matching records before paying")
        buyer.fund(study)
    with teller.step("run"):
        watch = RunWatch(local.hub_url, buyer.run(study).run)
        watch.until_begun()
        withdraw(vault.engine, vault.owner, others, [_second_record(vault)])
        teller.say("one owner has withdrawn while the run is on")
        public = watch.until_paid(
            lambda state, detail: teller.say(f"run {state}: {detail}" if detail else f"run {state}")
        )
    with teller.step("result"):
        result = buyer.result(public.signed.receipt)
    ledger = Network(LedgerClient(local.ledger_url), local.addresses)
    with teller.step("payouts"):
        earned = tuple(own_payouts(vault.engine, vault.owner, others.hub, public.signed.receipt))
        claimed = _claimed(ledger, public)
    with teller.step("audit"):
        roots = [TrustRoot((plot.folder / "hardware" / "root.der").read_bytes())]
        report = audit_run(public, ledger, roots, result=to_canonical(result))
    return Outcome(imported, _refusals(vault, study, ledger), study, public, result, earned, claimed, report)


def _refusals(vault: Vault, study: StudyDocument, ledger: Network) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Whose consent says no, and why: what each owner can work out at home from their own policy."""
    facts = BuyerFacts(
        address=study.buyer,
        country=ledger.organizations.country_of(study.buyer) or "ZZ",
        non_profit=Role.NON_PROFIT in ledger.organizations.roles_of(study.buyer),
        accredited=Role.ACCREDITED in ledger.organizations.roles_of(study.buyer),
    )
    terms = StudyTerms(document=study, buyer=facts, disease_closure=frozenset(study.purpose.diseases))
    found: list[tuple[str, tuple[str, ...]]] = []
    for record in all_records(vault.engine):
        decision = permits(record.policy, terms, at=datetime.now(UTC))
        if not decision.permitted:
            found.append((record.label, decision.reasons))
    return tuple(found)


class _Counter:
    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell, self._count = tell, 0

    def add(self, count: int) -> None:
        """Count on."""
        self._count += count
        self._tell(self._count)


def _open_vault(plot: Plot) -> Vault:
    folder = plot.folder / "vault"
    pass_phrase_file = plot.folder / "keys" / "vault.pass-phrase"
    if not (folder / "seed.json").exists():
        pass_phrase_file.write_text(secrets.token_urlsafe(24), "ascii")
        pass_phrase_file.chmod(0o600)
        save_seed(folder, generate_mnemonic(), SecretBytes(pass_phrase_file.read_bytes()))
    owner: OwnerKeys = load_keys(folder, SecretBytes(pass_phrase_file.read_bytes()))
    engine = open_database(f"sqlite:///{folder.absolute()}/vault.sqlite", state.tables, party="vault")
    return Vault(engine, owner, open_storage(load_vault(folder).storage_url))


def _import(plot: Plot, local: LocalNetwork, vault: Vault, teller: Teller) -> tuple[Panel, Imported]:
    cohort, phenotypes = _files(plot, teller)
    content = gzip.decompress(cohort.read_bytes()) if cohort.suffix == ".gz" else cohort.read_bytes()
    panel = build_panel(Source(BytesIO(content), name=cohort.name), name="demo", version="1", assembly="GRCh38")
    del content
    LocalStorage(plot.folder / "panels").put(panel.panel_id.removeprefix("0x"), panel.to_bytes())
    genomes = read_genomes(cohort, panel)
    tables, columns = read_phenotype_table(phenotypes, list(genomes.samples)) if phenotypes else ({}, ())
    unwilling = genomes.samples[0]

    def policy_of(record: Address, label: str) -> ConsentPolicy:
        return first_policy(
            record,
            price_floor_wei=TOKEN_WEI,
            trust_roots=(local.trust_root,),
            at=datetime.now(UTC),
            permission=Permission.POA if label == unwilling else Permission.HMB,
            result_classes=(ResultClass.NOISED, ResultClass.HITS, ResultClass.FULL),
        )

    imported = import_donors(
        vault,
        genomes,
        tables,
        policy_of=policy_of,
        columns=columns,
        progress=lambda done: teller.count("encrypting", done, len(genomes)),
    )
    return panel, imported


def _files(plot: Plot, teller: Teller) -> tuple[Path, Path | None]:
    if plot.cohort is not None:
        return plot.cohort, plot.phenotypes
    cohort, phenotypes = plot.folder / "made-up.vcf.gz", plot.folder / "made-up.tsv"
    if not phenotypes.exists():
        teller.say(f"making {plot.people} people up: frequencies, structure, linkage, planted effects")
        population = make_population(plot.people, seed=plot.seed)
        cohort.write_bytes(compress(to_vcf(population)))
        phenotypes.write_bytes(to_phenotypes(population, trait=MADE_UP_TRAIT))
    return cohort, phenotypes


def _write_study(plot: Plot, local: LocalNetwork, buyer: Buyer, panel: Panel, people: int) -> StudyDocument:
    is_gwas = plot.analysis == "gwas-linear"
    result_class = plot.result_class or (ResultClass.HITS if is_gwas else ResultClass.NOISED)
    parameters: dict[str, Any] = {"trait": plot.trait, "pcs": plot.pcs, "seed": plot.seed} if is_gwas else {}
    return StudyDocument(
        chain_id=local.addresses.chain_id,
        buyer=buyer.address,
        operator=local.hub,
        result_key=buyer.result_key,
        title=f"Which variants act on {plot.trait}?" if is_gwas else "How frequent are the panel's alleles?",
        summary="A demonstration study for health research, over every record whose consent permits it.",
        purpose=PurposeTerms(purposes=(Purpose.HEALTH,)),
        analysis=f"{plot.analysis}@1",
        parameters=parameters,
        parts=(PartKind.GENOTYPES, PartKind.PHENOTYPES) if is_gwas else (PartKind.GENOTYPES,),
        panel=panel.panel_id,
        result_class=result_class,
        privacy_micro_rho=500_000 if result_class is ResultClass.NOISED else 0,
        price_per_record_wei=to_wei(PRICE_WEI),
        fee_wei=to_wei(FEE_WEI),
        min_records=min(100, max(10, people // 2)),
        max_records=people,
        deadline=int((datetime.now(UTC) + timedelta(seconds=DEADLINE_SECONDS)).timestamp()),
        keepers=tuple(keeper.address for keeper in local.keepers),
        keeper_threshold=2,
        measurement=local.measurement,
        trust_root=local.trust_root,
    )


def _second_record(vault: Vault) -> Address:
    """The record of somebody who takes part: the last registered donor."""
    with reading(vault.engine) as connection:
        registered = [record for record in state.page_of_records(connection) if record.stage is Stage.REGISTERED]
    return max(registered, key=lambda record: record.donor or 0).record


def _stages(vault: Vault) -> dict[str, int]:
    with reading(vault.engine) as connection:
        return state.count_by_stage(connection)


def _claimed(ledger: Network, public: PublicRun) -> int:
    indices = [payout.index for payout in public.payouts]
    return sum(ledger.studies.are_claimed(public.signed.receipt.study, indices))


def to_json(plot: Plot, outcome: Outcome, teller: Teller, written: dict[str, Path]) -> dict[str, Any]:
    """Return the story as one JSON object."""
    funding, receipt = funding_of(outcome.study), outcome.receipt
    owners_wei = from_wei(receipt.amount_wei)
    return {
        "people": outcome.imported.new + outcome.imported.known,
        "records_enrolled": outcome.imported.new + outcome.imported.known,
        "records_refused": len(outcome.refusals),
        "records_withdrawn": outcome.public.dropped.reasons.get("withdrawn", 0),
        "records_used": receipt.record_count,
        "variants": outcome.imported.report.panel_sites,
        "study": study_id(outcome.study),
        "run": receipt.run,
        **{name: str(path) for name, path in written.items()},
        "escrow_wei": funding.escrow_wei,
        "owners_wei": owners_wei,
        "fees_wei": funding.fee_wei,
        "refund_wei": funding.escrow_wei - owners_wei - funding.fee_wei,
        "payouts": len(outcome.payouts),
        "payouts_claimed": outcome.claimed,
        "audit": {"checks": len(outcome.audit.checks), "failed": len(outcome.audit.failed)},
        "simulated": receipt.simulated,
        "seconds": teller.seconds,
        "seed": plot.seed,
    }


def write_outcome(outcome: Outcome, folder: Path) -> dict[str, Path]:
    """Write result, receipt and public run below a folder; returns what went where."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in outcome.result.files.items():
        (folder / name).write_bytes(content)
    table = next(name for name in outcome.result.files if name in ("associations.tsv", "frequencies.tsv"))
    (folder / "receipt.json").write_bytes(to_canonical(outcome.public.signed))
    (folder / "run.json").write_bytes(to_canonical(outcome.public))
    (folder / "result.json").write_bytes(to_canonical(outcome.result))
    return {"result": folder / table, "receipt": folder / "receipt.json", "public_run": folder / "run.json"}
