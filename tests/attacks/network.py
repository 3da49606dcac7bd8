"""A whole network of real processes after two studies by the same people, every wire of which was listened to.

The people carry canaries: names, numbers, diagnoses that occur nowhere else in the world. Whatever of them is found
outside their vault is a leak.
"""

import base64
import os
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from attacks.wiretap import Wiretap
from nebula.buyer import Buyer
from nebula.buyer.settings import load_settings as load_buyer
from nebula.crypt4gh import decrypt
from nebula.database import open_database
from nebula.genome.building import build_panel
from nebula.genome.inflate import Source
from nebula.ledger.client import LedgerClient, Network
from nebula.localnet.bgzf import compress
from nebula.localnet.custodian import offer_panel
from nebula.localnet.places import ports
from nebula.localnet.population import make_population, to_vcf
from nebula.localnet.settings_files import LocalNetwork
from nebula.localnet.setup import open_network
from nebula.localnet.supervisor import running, wait_until
from nebula.protocol.duo import Purpose
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.receipt import PublicRun, parse_public_run
from nebula.protocol.record import parse_manifest
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.storage import open_storage
from nebula.storage.reading import parse_location
from nebula.vault import state, tables
from nebula.vault.consent import first_policy, withdraw
from nebula.vault.enrol import Network as Others
from nebula.vault.enrol import enrol_all, keys_of
from nebula.vault.import_ import Vault, import_donors
from nebula.vault.joining import join
from nebula.vault.payouts import OwnPayout, all_records, own_payouts
from nebula.vault.reading import read_genomes, read_phenotype_table
from nebula.vault.settings import load_settings as load_vault

PEOPLE = 20
PRICE_WEI = 3 * TOKEN_WEI
NAMES = tuple(f"Xanthippe-Quastenflosser-{number:03d}" for number in range(PEOPLE))
DIAGNOSES = ("Zebrafieber-links", "Zebrafieber-rechts")
SECONDS = 300.0


@dataclass
class FinishedNetwork:
    """What stands and lies around when it is all over."""

    folder: Path
    local: LocalNetwork
    vault: Vault
    others: Others
    buyer: Buyer
    mnemonic: str
    panel: Hash32
    traits: tuple[str, ...]
    taps: dict[str, Wiretap]
    runs: list[PublicRun]
    withdrawn: Address = ""
    refused_detail: str = ""

    def study(self, **changes: Any) -> StudyDocument:
        return StudyDocument(
            **{
                "chain_id": self.local.addresses.chain_id,
                "buyer": self.buyer.address,
                "operator": self.local.hub,
                "result_key": self.buyer.result_key,
                "title": "Which variants act on ldl?",
                "summary": "A study for health research, over every record whose consent permits it.",
                "purpose": PurposeTerms(purposes=(Purpose.HEALTH,)),
                "analysis": "gwas-linear@1",
                "parameters": {"trait": "ldl", "pcs": 0},
                "parts": (PartKind.GENOTYPES, PartKind.PHENOTYPES),
                "panel": self.panel,
                "result_class": ResultClass.HITS,
                "price_per_record_wei": str(PRICE_WEI),
                "fee_wei": str(TOKEN_WEI),
                "min_records": 10,
                "max_records": PEOPLE,
                "deadline": int((datetime.now(UTC) + timedelta(hours=1)).timestamp()),
                "keepers": tuple(keeper.address for keeper in self.local.keepers),
                "keeper_threshold": 2,
                "measurement": self.local.measurement,
                "trust_root": self.local.trust_root,
                **changes,
            }
        )

    def run(self, study: StudyDocument) -> tuple[str, str, Hash32]:
        """Publish, fund and run a study; return the run's last state, its detail and its id."""
        self.buyer.publish(study)
        self.buyer.fund(study)
        run = self.buyer.run(study).run
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(msgspec.json.decode(self.fetch(f"/v1/runs/{run}")))
            return found["state"] in ("paid", "failed")

        wait_until(ended, seconds=SECONDS, what="the run")
        return found["state"], found["detail"] or "", run

    def fetch(self, path: str) -> bytes:
        return httpx2.get(f"{self.local.hub_url}{path}", timeout=60, trust_env=False).content

    # what an attacker gathers

    @cached_property
    def ledger_rows(self) -> list[bytes]:
        """Every value of every row of the ledger's file: blocks, state, calldata, logs."""
        return list(rows_of(self.folder / "ledger.sqlite"))

    def databases(self) -> dict[str, bytes]:
        """The raw bytes of every file of every party but the vault and the keys."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            place = path.relative_to(self.folder).parts
            if path.is_file() and place[0] not in ("vault", "keys", "source"):
                found["/".join(place)] = path.read_bytes()
        return found

    def ledger(self) -> Network:
        return Network(LedgerClient(self.local.ledger_url), self.local.addresses)

    # what only the owners have

    @cached_property
    def records(self) -> list[state.Record]:
        return list(all_records(self.vault.engine))

    def payouts(self, public: PublicRun) -> list[OwnPayout]:
        return list(own_payouts(self.vault.engine, self.vault.owner, self.others.hub, public))

    def plaintexts(self) -> Iterator[tuple[state.Record, bytes, tuple[bytes, ...]]]:
        """Yield each record with its manifest's and its parts' plaintexts."""
        for record in self.records:
            identity = keys_of(self.vault.owner, record).crypt4gh_identity()

            def opened(location: str, identity: Any = identity) -> bytes:
                return decrypt(self.vault.storage.get(parse_location(location)[1]), identity)

            manifest = opened(record.manifest_location)
            parts = tuple(opened(part.location) for part in parse_manifest(manifest).parts)
            yield record, manifest, parts


def rows_of(path: Path) -> Iterator[bytes]:
    """Yield every value of every row of a SQLite file, as bytes."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)


def spellings(secret: bytes) -> set[bytes]:
    """Every way in which bytes could be written down: raw, as hex, in Base64 wherever they begin."""
    inner = {base64.b64encode(bytes(shift) + secret)[4 if shift else 0 :][:-4] for shift in range(3)}
    return {secret, secret.hex().encode(), *(piece for piece in inner if len(piece) >= 8)}


def make_finished_network(folder: Path) -> FinishedNetwork:
    taps: dict[str, Wiretap] = {}
    try:
        local = open_network(folder)
        stop(folder, taps)
        taps = tap_every_wire(folder)
        open_network(folder)
        network = populate(folder, local, taps)
        live_through(network)
    except BaseException:
        stop(folder, taps)
        raise
    return network


def live_through(network: FinishedNetwork) -> None:
    """Two studies that are paid; a withdrawal; then the first study's twin, which would tell who left."""
    frequencies = network.study(
        title="How frequent are the panel's alleles?",
        analysis="allele-frequency@1",
        parameters={},
        parts=(PartKind.GENOTYPES,),
        result_class=ResultClass.NOISED,
        privacy_micro_rho=500_000,
    )
    for study in (network.study(), frequencies):
        ended, detail, run = network.run(study)
        assert ended == "paid", detail
        network.runs.append(parse_public_run(network.fetch(f"/v1/runs/{run}/public")))
    network.withdrawn = network.records[-1].record
    withdraw(network.vault.engine, network.vault.owner, network.others, [network.withdrawn])
    ended, network.refused_detail, _ = network.run(network.study(title="Which variants act on ldl, again?"))
    assert ended == "failed"


def stop(folder: Path, taps: dict[str, Wiretap]) -> None:
    supervisor = running(folder)
    if supervisor is not None:
        os.kill(supervisor, signal.SIGTERM)
        wait_until(lambda: running(folder) is None, seconds=30, what="the supervisor's end")
    for tap in taps.values():
        tap.close()


def tap_every_wire(folder: Path) -> dict[str, Wiretap]:
    """Make everyone reach everyone through an ear."""
    listening = ports(folder)
    taps = {name: Wiretap(port) for name, port in listening.items()}
    for settings in folder.glob("*/settings.json"):
        content = settings.read_bytes()
        for name, port in listening.items():
            content = content.replace(
                f"http://127.0.0.1:{port}".encode(), f"http://127.0.0.1:{taps[name].port}".encode()
            )
        settings.write_bytes(content)
    return taps


def populate(folder: Path, local: LocalNetwork, taps: dict[str, Wiretap]) -> FinishedNetwork:
    population = replace(make_population(PEOPLE, variants=300, seed=4), names=NAMES)
    traits = tuple(f"{170 + 10 * value:.9f}" for value in population.trait)
    vcf = to_vcf(population)
    source = folder / "source"
    source.mkdir()
    (source / "people.vcf.gz").write_bytes(compress(vcf))
    lines = ["sample\tldl\tdiagnosis"]
    lines += [
        f"{name}\t{trait}\t{DIAGNOSES[place % 2]}"
        for place, (name, trait) in enumerate(zip(NAMES, traits, strict=True))
    ]
    (source / "people.tsv").write_text("\n".join(lines) + "\n")

    panel = build_panel(Source(BytesIO(vcf), name="people.vcf"), name="attacked", version="1", assembly="GRCh38")
    offer_panel(folder, panel)
    mnemonic = generate_mnemonic()
    settings = load_vault(folder / "vault")
    engine = open_database(f"sqlite:///{folder}/vault/vault.sqlite", tables.metadata, party="vault")
    vault = Vault(engine, OwnerKeys.from_mnemonic(mnemonic), open_storage(settings.storage_url))
    genomes = read_genomes(source / "people.vcf.gz", panel)
    phenotypes = read_phenotype_table(source / "people.tsv", list(genomes.samples)).tables
    import_donors(
        vault,
        genomes,
        phenotypes,
        policy_of=lambda record, _label: first_policy(
            record,
            price_floor_wei=TOKEN_WEI,
            trust_roots=(local.trust_root,),
            at=datetime.now(UTC),
            result_classes=(ResultClass.NOISED, ResultClass.HITS),
        ),
    )
    others = join(settings)
    enrol_all(engine, vault.owner, others)
    buyer = Buyer(load_buyer(folder / "buyer" / "settings.json"), folder / "buyer")
    return FinishedNetwork(folder, local, vault, others, buyer, mnemonic, panel.panel_id, traits, taps, [])
