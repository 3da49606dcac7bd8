"""The custodian of a story: their vault, the people's records in it, and whose consent says no."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from nebula.database import open_database, reading
from nebula.genome.panel import Panel
from nebula.hub.operator import publish
from nebula.hub.settings import load_settings as load_hub
from nebula.ledger.client import Network
from nebula.ledger.client.organizations import Role
from nebula.localnet.materials import Materials
from nebula.localnet.plot import Plot
from nebula.localnet.settings_files import LocalNetwork
from nebula.localnet.teller import Teller
from nebula.protocol.consent import ConsentPolicy, permits
from nebula.protocol.duo import Permission
from nebula.protocol.ids import Address
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.study import BuyerFacts, ResultClass, StudyDocument, StudyTerms
from nebula.storage import open_storage
from nebula.storage.panels import PanelShelf
from nebula.vault import state, tables
from nebula.vault.consent import first_policy
from nebula.vault.enrol import Network as Others
from nebula.vault.enrol import enrol_all
from nebula.vault.import_ import Imported, Vault, import_donors
from nebula.vault.payouts import all_records
from nebula.vault.seed import load_keys, save_seed
from nebula.vault.settings import load_settings as load_vault


def pass_phrase_of(network: Path) -> Path:
    """Return the file with the pass phrase of a story's custodian."""
    return network / "keys" / "vault.pass-phrase"


def open_custodian(network: Path) -> Vault:
    """Open the custodian's vault, or make it, under a pass phrase that is kept beside the network's keys."""
    folder = network / "vault"
    pass_phrase_file = pass_phrase_of(network)
    if not (folder / "seed.json").exists():
        pass_phrase_file.write_text(secrets.token_urlsafe(24), "ascii")
        pass_phrase_file.chmod(0o600)
        save_seed(folder, generate_mnemonic(), SecretBytes(pass_phrase_file.read_bytes()))
    owner: OwnerKeys = load_keys(folder, SecretBytes(pass_phrase_file.read_bytes()))
    engine = open_database(f"sqlite:///{folder.absolute()}/vault.sqlite", tables.metadata, party="vault")
    return Vault(engine, owner, open_storage(load_vault(folder).storage_url))


def offer_panel(network: Path, panel: Panel) -> None:
    """Put a panel where everyone of a network finds it, and have its operator publish it."""
    settings = load_hub(network / "hub" / "settings.json")
    PanelShelf((network.absolute() / "panels").as_uri()).put(panel)
    publish(settings, panel)


def import_people(plot: Plot, local: LocalNetwork, vault: Vault, materials: Materials, teller: Teller) -> Imported:
    """Make a record of each person, under a consent that lets most of them take part, and one not."""
    panel, genomes = materials.panel, materials.genomes
    offer_panel(plot.folder, panel)
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

    return import_donors(
        vault,
        genomes,
        materials.phenotypes,
        policy_of=policy_of,
        progress=lambda done: teller.count("encrypting", done, len(genomes)),
    )


def enrol_people(vault: Vault, others: Others, teller: Teller) -> int:
    """Take every record to the keepers and the ledger; returns how many there are."""
    with reading(vault.engine) as connection:
        total = sum(state.count_by_stage(connection).values())
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        teller.count("enrolling", done, total)

    enrol_all(vault.engine, vault.owner, others, done=add)
    return total


def refusals(vault: Vault, study: StudyDocument, ledger: Network) -> tuple[tuple[str, tuple[str, ...]], ...]:
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
