"""What owners and buyers do, each act a process of its own, which may be killed at any line.

``python acts.py FOLDER ACT [ARGUMENT …] [--die CUT:MODULE:FUNCTION:N] [--disk BYTES]``: with ``--die`` the process
kills itself before or after the N-th call of a function, as the kernel would, without a chance to tidy up; with
``--disk`` no file of it can grow beyond so many bytes.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from nebula.buyer import Buyer
from nebula.buyer.settings import load_settings as load_buyer
from nebula.database import open_database, reading
from nebula.genome.building import build_panel
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.localnet.bgzf import compress
from nebula.localnet.population import make_population, to_phenotypes, to_vcf
from nebula.localnet.settings_files import load_network
from nebula.protocol.duo import Permission
from nebula.protocol.keys import generate_mnemonic
from nebula.protocol.receipt import parse_public_run, parse_receipt
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.study import parse_study
from nebula.protocol.wire import to_canonical
from nebula.storage import open_storage
from nebula.vault import state, tables
from nebula.vault.consent import first_policy, withdraw
from nebula.vault.enrol import enrol_all
from nebula.vault.import_ import Vault, import_donors
from nebula.vault.joining import join
from nebula.vault.payouts import own_payouts
from nebula.vault.reading import read_genomes, read_phenotype_table
from nebula.vault.rederive import rederive_all
from nebula.vault.seed import load_keys, save_seed
from nebula.vault.settings import load_settings
from nebula.vault.state import Stage

PASS_PHRASE = SecretBytes(b"a pass phrase for tests")
TRAIT = "trait"
PANEL, NEWER_PANEL = "people.panel", "people.newer.panel"


def open_vault(folder: Path, name: str) -> Vault:
    own = folder / "vaults" / name
    if not (own / "seed.json").exists():
        own.mkdir(parents=True, exist_ok=True)
        save_seed(own, generate_mnemonic(), PASS_PHRASE)
    engine = open_database(f"sqlite:///{own}/vault.sqlite", tables.metadata, party="vault")
    return Vault(engine, load_keys(own, PASS_PHRASE), open_storage(f"file://{own}/storage"))


def make_files(folder: Path, people: int, variants: int) -> None:
    """Make a population, its panel, and a newer one with fewer sites."""
    population = make_population(people, variants=variants, seed=1)
    content = to_vcf(population)
    (folder / "people.vcf.gz").write_bytes(compress(content))
    (folder / "people.tsv").write_bytes(to_phenotypes(population, trait=TRAIT))
    whole = build_panel(Source(BytesIO(content), name="people.vcf"), name="faults", version="1", assembly="GRCh38")
    (folder / PANEL).write_bytes(whole.to_bytes())
    (folder / NEWER_PANEL).write_bytes(Panel("faults", "2", "GRCh38", whole.keys[::2], {}).to_bytes())


def panel_in(folder: Path, name: str) -> Panel:
    return Panel.from_bytes((folder / name).read_bytes())


def import_people(folder: Path, name: str, permission: str) -> object:
    vault, network = open_vault(folder, name), load_network(folder)
    assert network is not None
    genomes = read_genomes(folder / "people.vcf.gz", panel_in(folder, PANEL))
    phenotypes = read_phenotype_table(folder / "people.tsv", list(genomes.samples)).tables

    def policy_of(record: str, _label: str) -> Any:
        return first_policy(
            record,
            price_floor_wei=1,
            trust_roots=(network.trust_root,),
            at=datetime.now(UTC),
            permission=Permission[permission],
        )

    import_donors(vault, genomes, phenotypes, policy_of=policy_of)
    return stages(vault)


def enrol(folder: Path, name: str) -> object:
    vault = open_vault(folder, name)
    enrol_all(vault.engine, vault.owner, join(load_settings(folder / "vault")))
    return stages(vault)


def rederive(folder: Path, name: str) -> object:
    """Put everyone on the newer panel, from wherever it was left."""
    vault = open_vault(folder, name)
    rederive_all(vault, join(load_settings(folder / "vault")), panel_in(folder, NEWER_PANEL))
    return stages(vault) | {"versions": versions(vault)}


def versions(vault: Vault) -> list[int]:
    with reading(vault.engine) as connection:
        return sorted({record.version for record in state.page_of_records(connection)})


def withdraw_all(folder: Path, name: str) -> object:
    vault = open_vault(folder, name)
    with reading(vault.engine) as connection:
        records = [one.record for one in state.page_of_records(connection) if one.stage is not Stage.WITHDRAWN]
    if records:
        withdraw(vault.engine, vault.owner, join(load_settings(folder / "vault")), records)
    return stages(vault)


def earnings(folder: Path, name: str, run: str) -> object:
    vault, public = open_vault(folder, name), parse_public_run((folder / run).read_bytes())
    hub = join(load_settings(folder / "vault")).hub
    return [int(own.leaf.amount_wei) for own in own_payouts(vault.engine, vault.owner, hub, public)]


def stages(vault: Vault) -> dict[str, object]:
    with reading(vault.engine) as connection:
        return dict(state.count_by_stage(connection))


def buyer_does(act: str, folder: Path, study: str, *rest: str) -> object:
    buyer = Buyer(load_buyer(folder / "buyer" / "settings.json"), folder / "buyer")
    document = parse_study((folder / study).read_bytes())
    if act == "publish":
        return buyer.publish(document).study
    if act == "fund":
        return str(buyer.fund(document))
    if act == "run":
        return buyer.run(document).run
    signed = parse_receipt((folder / rest[0]).read_bytes())
    (folder / rest[1]).write_bytes(to_canonical(buyer.result(signed.receipt)))
    return "fetched"


ACTS: dict[str, Callable[..., object]] = {
    "import": import_people,
    "enrol": enrol,
    "rederive": rederive,
    "withdraw": withdraw_all,
    "earnings": earnings,
    **{act: partial(buyer_does, act) for act in ("publish", "fund", "run", "result")},
}


def die_at(place: str) -> None:
    """Put a death before or after the N-th call of a function."""
    cut, module_name, name, number = place.split(":")
    module, calls = import_module(module_name), 0
    original = getattr(module, name)

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == int(number) and cut == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = original(*arguments, **named)
        if calls == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(module, name, deadly)


if __name__ == "__main__":
    words = sys.argv[1:]
    if "--die" in words:
        place = words.index("--die")
        die_at(words[place + 1])
        del words[place : place + 2]
    if "--disk" in words:
        place = words.index("--disk")
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(words[place + 1]),) * 2)
        del words[place : place + 2]
    sys.stdout.write(json.dumps(ACTS[words[1]](Path(words[0]), *words[2:])))
