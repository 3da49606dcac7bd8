"""A small world for one run: people with a planted effect, keepers, a study."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np

from nebula.enclave.run import Surroundings, run_order
from nebula.genome.panel import Panel
from nebula.protocol.duo import Purpose
from nebula.protocol.messages import RunOrder
from nebula.protocol.receipt import RunOutput
from nebula.protocol.sealing import SealingKey
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.protocol.typed_data import Domain
from nebula.protocol.worker import Start
from nebula.storage import Storage
from simulators.keepers import SimulatedHost, SimulatedKeeper
from simulators.records import SimulatedOwner, enrol_owner, make_panel, panel_object, plain_parts
from simulators.storage import MemoryStorage

STUDIES = "0x" + "5a" * 20
SESSIONS = "0x" + "5e" * 20
CHAIN_ID = 31337
RUN = "0x" + "a1" * 32
SIMULATED_ROOT = "0x" + "de" * 32
MEASUREMENT = "0x" + "3e" * 32
PRICE = 2 * 10**18


class StubQuoter:
    """Signs nothing: keepers in memory do not look at quotes."""

    def get_quote(self, report_data: bytes) -> bytes:
        return report_data * 8


@dataclass
class World:
    """Everything around one worker."""

    panel: Panel
    storage: Storage
    keepers: list[SimulatedKeeper]
    owners: list[SimulatedOwner]
    buyer: SealingKey
    study: StudyDocument
    panel_location: str
    dosage: np.ndarray[Any, Any]
    trait: np.ndarray[Any, Any]
    host: SimulatedHost = field(init=False)

    def __post_init__(self) -> None:
        self.host = SimulatedHost.of(self.keepers)

    @property
    def start(self) -> Start:
        return Start(studies_contract=STUDIES, sessions_contract=SESSIONS, panel_location=self.panel_location)

    @property
    def order(self) -> RunOrder:
        return RunOrder(study=self.study, run=RUN)

    def change(self, **fields: Any) -> None:
        """Change the study's document."""
        self.study = msgspec.structs.replace(self.study, **fields)

    def name_everybody(self) -> None:
        """Have the host name all owners' records."""
        self.host.ordered = [owner.record for owner in self.owners]

    def run(self, order: RunOrder | None = None) -> RunOutput:
        """Run the worker in this process."""
        self.name_everybody()
        return run_order(self.start, order or self.order, self.around())

    def around(self) -> Surroundings:
        """What the worker has around it."""
        return Surroundings(self.host, StubQuoter(), lambda _url: self.storage, lambda: datetime.now(UTC))


@dataclass(frozen=True)
class _People:
    panel: Panel
    dosage: np.ndarray[Any, Any]
    trait: np.ndarray[Any, Any]
    owners: tuple[SimulatedOwner, ...]


def _make_people(storage: Storage, people: int, sites: int, seed: int) -> _People:
    rng = np.random.default_rng(seed)
    panel = make_panel(sites)
    frequency = rng.uniform(0.3, 0.7, sites)
    dosage = rng.binomial(2, frequency[:, None], (sites, people))
    trait = 170 + 8.0 * dosage[7] + rng.normal(0, 1, people)
    sex = ["female" if i % 2 else "male" for i in range(people)]
    owners = tuple(
        enrol_owner(i, plain_parts(panel, dosage[:, i], {"height": float(trait[i]), "sex": sex[i]}), storage)
        for i in range(people)
    )
    return _People(panel, dosage, trait, owners)


@cache
def _people_in_memory(people: int, sites: int, seed: int) -> tuple[_People, dict[str, bytes]]:
    storage = MemoryStorage()
    return _make_people(storage, people, sites, seed), {name: storage.get(name) for name in storage.names(limit=10**6)}


def make_world(storage: Storage, *, people: int = 40, sites: int = 60, seed: int = 1) -> World:
    """People whose height follows the genotype at site 7, and three keepers, two of whom are needed.

    Those in memory are made once: tests that need many worlds are quick.
    """
    if storage.url == MemoryStorage().url:
        made, objects = _people_in_memory(people, sites, seed)
        for name, content in objects.items():
            storage.put(name, content)
    else:
        made = _make_people(storage, people, sites, seed)
    owners, panel = list(made.owners), made.panel
    domain = Domain(CHAIN_ID, SESSIONS)
    keepers = [SimulatedKeeper(index, domain) for index in range(3)]
    for keeper in keepers:
        keeper.enrol(owners)
    buyer = SealingKey.generate()
    study = StudyDocument(
        chain_id=CHAIN_ID,
        buyer="0x" + "b1" * 20,
        operator="0x" + "0b" * 20,
        result_key=buyer.public_key,
        title="Height",
        summary="Which common variants go with standing height?",
        purpose=PurposeTerms(purposes=(Purpose.HEALTH,)),
        analysis="gwas-linear@1",
        parameters={"trait": "height", "covariates": ["sex"], "pcs": 0, "minimum_maf": 0.05},
        parts=(PartKind.GENOTYPES, PartKind.PHENOTYPES),
        panel=panel.panel_id,
        result_class=ResultClass.HITS,
        price_per_record_wei=str(PRICE),
        fee_wei=str(10**18),
        min_records=20,
        max_records=1000,
        deadline=4_000_000_000,
        keepers=tuple(keeper.address for keeper in keepers),
        keeper_threshold=2,
        measurement=MEASUREMENT,
        trust_root=SIMULATED_ROOT,
    )
    return World(panel, storage, keepers, owners, buyer, study, panel_object(panel, storage), made.dosage, made.trait)
