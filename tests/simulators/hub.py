"""A hub around which ledger and keepers are simulated; its database and its durable workflows are real."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from dbos import DBOS
from sqlalchemy import Engine

from nebula.database import open_database, reading, writing
from nebula.hub import state, tables
from nebula.hub.effects import Mined
from nebula.hub.orders import Orders
from nebula.hub.run import Parties, Runs, close_overdue, go_on, settle_run, start_run
from nebula.hub.state import Run, RunState
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.funding import run_id, study_id
from nebula.protocol.messages import MatchAnswer, MatchRequest, OwnersReport, RunReport
from nebula.protocol.receipt import RunOutput
from nebula.protocol.study import StudyDocument
from nebula.protocol.typed_data import Domain
from simulators.storage import MemoryStorage
from simulators.studies import CHAIN_ID, STUDIES, World, make_world

HOST, OTHER_HOST = "0x" + "40" * 20, "0x" + "41" * 20
WAIT_SECONDS = 60


@dataclass
class SimulatedEffects:
    """An escrow that can be away, and refuse."""

    state: StudyState = StudyState.FUNDED
    away: int = 0
    refusal: str | None = None
    refused_subtrees: set[int] = field(default_factory=set)
    settled: list[str] = field(default_factory=list)
    paid: list[int] = field(default_factory=list)
    refunds: int = 0
    sessions: list[str] = field(default_factory=list)

    def study_state(self, _study: str) -> StudyState:
        return self.state

    def register_session(self, evidence: Any, _votes: Any) -> Mined:
        self.sessions.append(evidence.session)
        return Mined("0x" + "77" * 32, 7)

    def settle(self, _funding: Any, signed: Any) -> Mined:
        self._answer()
        self.settled.append(signed.receipt.session)
        if self.refusal is not None:
            raise NotPermittedError("ledger.refused", f"the ledger refuses: {self.refusal}")
        self.state = StudyState.SETTLED
        return Mined("0x" + "78" * 32, 8)

    def claim_subtree(self, _study: str, payouts: Any, _proof: Any) -> Mined:
        self._answer()
        subtree = payouts[0].index // 128
        if subtree in self.refused_subtrees:
            raise NotPermittedError("ledger.refused", "the ledger refuses: no")
        self.paid.append(subtree)
        return Mined("0x" + "79" * 32, 9)

    def refund(self, _funding: Any) -> Mined:
        self._answer()
        self.state, self.refunds = StudyState.REFUNDED, self.refunds + 1
        return Mined("0x" + "7a" * 32, 10)

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise UnavailableError("ledger.away", "the ledger does not answer")


@dataclass
class SimulatedMatcher:
    """A keeper, as far as the hub asks it."""

    address: str
    records: list[str]
    away: bool = False

    def ask(self, _kind: Any, _body: MatchRequest, _answer: Any) -> MatchAnswer:
        if self.away:
            raise UnavailableError("peer.away", "the keeper does not answer")
        return MatchAnswer(records=tuple(sorted(self.records)), refused={})


@dataclass
class SimulatedHub:
    """One hub; ``stop`` and ``start`` as often as a test likes."""

    folder: Path
    world: World
    effects: SimulatedEffects = field(default_factory=SimulatedEffects)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    keepers: list[SimulatedMatcher] = field(init=False)
    engine: Engine = field(init=False)
    runs: Runs = field(init=False)
    parties: Parties = field(init=False)
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        records = [owner.record for owner in self.world.owners]
        self.keepers = [SimulatedMatcher(keeper.address, records) for keeper in self.world.keepers]
        self.engine = open_database(
            f"sqlite:///{self.folder}/hub.sqlite", tables.metadata, party="hub", version=tables.SCHEMA
        )
        with writing(self.engine) as connection:
            state.add_study(connection, self.study, self.document)
        self.parties = Parties(self.engine, self.effects, lambda _study: self.keepers, lambda: self.now)  # type: ignore[arg-type, return-value]
        self.runs = Runs(str(self.folder), self.parties)
        self.orders = Orders(
            self.engine,
            self.effects,  # type: ignore[arg-type]
            studies=Domain(CHAIN_ID, STUDIES),
            hosts=frozenset({HOST, OTHER_HOST}),
            settle=lambda run: settle_run(self.runs, run),
            match=lambda _study: tuple(sorted(set.intersection(*(set(keeper.records) for keeper in self.keepers)))),
        )

    @property
    def document(self) -> StudyDocument:
        return self.world.study

    @property
    def study(self) -> str:
        return study_id(self.document)

    @property
    def run(self) -> str:
        return run_id(self.study)

    def start(self) -> None:
        url = f"sqlite:///{self.folder}/workflows.sqlite"
        DBOS(
            config={
                "name": "hub",
                "system_database_url": url,
                "application_version": "1",
                "log_level": "CRITICAL",
                "run_admin_server": False,
            }
        )
        DBOS.launch()
        go_on(self.runs, self.parties)

    @staticmethod
    def stop() -> None:
        DBOS.destroy()

    def ask(self) -> str:
        return start_run(self.runs, self.parties, self.study)

    def pass_the_deadline(self) -> None:
        self.now = datetime.fromtimestamp(self.document.deadline + 1, UTC)
        close_overdue(self.runs, self.parties)

    def stand(self) -> Run:
        with reading(self.engine) as connection:
            return state.get_run(connection, self.run)

    def await_state(self, reached: RunState) -> Run:
        self.await_that(lambda: self.stand().state is reached)
        return self.stand()

    def await_that(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.stand()
            time.sleep(0.01)

    def make_output(self) -> RunOutput:
        """What a worker makes of this study's order; its session is handed in."""
        order = msgspec.structs.replace(self.world.order, run=self.run)
        output = self.world.run(order)
        self.orders.register_session(self.world.host.registered[-1], HOST)
        return output

    def hand_in_pages(self, output: RunOutput, pages: int | None = None, *, size: int = 7) -> None:
        """Hand in the first pages of an output, or all."""
        session = output.head.signed.receipt.session
        for page in islice(output.pages(size), pages):
            self.orders.owners(OwnersReport(run=self.run, session=session, page=page), HOST)

    def report(self, output: RunOutput) -> None:
        self.hand_in_pages(output)
        self.orders.report(RunReport(run=self.run, head=output.head), HOST)


@contextmanager
def simulated_hub(folder: Path, *, people: int = 24, **study: Any) -> Iterator[SimulatedHub]:
    world = make_world(MemoryStorage(), people=people)
    world.change(**study)
    hub = SimulatedHub(folder, world)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()
        hub.engine.dispose()
