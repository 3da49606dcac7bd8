"""The host's loop: a hub that is away, that says no, that gives the same order again."""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nebula.host.app import MAX_DEATHS, EnclaveHost, build
from nebula.host.carry import HttpCourier, panel_location
from nebula.host.settings import GramineCpu, HostSettings, KeeperUrl, SimulatedCpu, load_settings
from nebula.host.worker import Command, Worker
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import ORDER, REPORT, Accepted, ErrorAnswer, Kind, OrderAnswer, RunReport
from nebula.protocol.wire import Document
from nebula.protocol.worker import Start
from nebula.transport.keyfiles import save_key
from simulators.storage import MemoryStorage
from simulators.studies import MEASUREMENT, SESSIONS, STUDIES, make_world

SETTINGS = HostSettings(
    hub_url="http://127.0.0.1:1",
    hub_address="0x" + "0b" * 20,
    keepers=(KeeperUrl(address="0x" + "01" * 20, url="http://127.0.0.1:2"),),
    signing_key_file="host.key",
    studies_contract=STUDIES,
    sessions_contract=SESSIONS,
    panels_url="file:///panels",
    measurement=MEASUREMENT,
    cpu=SimulatedCpu(device="/device"),
    poll_seconds=0.05,
)
REFUSAL = ErrorAnswer(family="not-permitted", code="run.too-few-records", message="too few")
AWAY = ErrorAnswer(family="unavailable", code="enclave.keepers-away", message="keepers are away")


@dataclass
class StubHub:
    """Gives one order until it is reported."""

    order: Any
    errors: deque[Exception] = field(default_factory=deque)
    reports: list[RunReport] = field(default_factory=list)

    def ask(self, kind: Kind, body: Document, _answer: type[Document]) -> Document:
        if kind is ORDER:
            return OrderAnswer(order=None if self.reports else self.order)
        assert kind is REPORT
        assert isinstance(body, RunReport)
        if self.errors:
            raise self.errors.popleft()
        self.reports.append(body)
        return Accepted()


@dataclass
class StubWorker:
    """Ends in one outcome after the other."""

    outcomes: deque[Any]
    starts: list[Start] = field(default_factory=list)
    stopped: bool = False

    def run(self, start: Start, _order: Any, _courier: Any, *, at: datetime) -> Any:
        assert at.tzinfo is UTC
        self.starts.append(start)
        outcome = self.outcomes.popleft()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def stop(self) -> None:
        self.stopped = True


def host_with(*outcomes: Any) -> tuple[EnclaveHost, StubHub, StubWorker]:
    world = make_world(MemoryStorage())
    hub, worker = StubHub(world.order), StubWorker(deque(outcomes))
    host = EnclaveHost(SETTINGS, hub, None, worker, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    return host, hub, worker


def test_without_an_order_there_is_nothing_to_do() -> None:
    host, hub, worker = host_with()
    hub.order = None

    assert not host.work_once()
    assert not worker.starts


def test_a_refusal_of_the_enclave_is_reported() -> None:
    host, hub, worker = host_with(REFUSAL)

    assert host.work_once()
    assert [report.error for report in hub.reports] == [REFUSAL]
    panel = hub.order.study.panel
    assert (
        worker.starts[0].panel_location == panel_location(SETTINGS.panels_url, panel) == f"file:///panels#{panel[2:]}"
    )


def test_what_may_come_back_is_not_reported_but_tried_again() -> None:
    host, hub, _ = host_with(AWAY, REFUSAL)

    with pytest.raises(UnavailableError):
        host.work_once()
    assert not hub.reports
    assert host.work_once()


def test_a_worker_that_dies_is_started_again_and_at_last_reported() -> None:
    died = UnavailableError("host.worker-died", "the worker died")
    host, hub, _ = host_with(*[died] * MAX_DEATHS)

    for _ in range(MAX_DEATHS - 1):
        with pytest.raises(UnavailableError):
            host.work_once()
    assert host.work_once()
    assert hub.reports[0].error is not None
    assert hub.reports[0].error.code == "host.worker-dies"


def test_a_report_waits_for_a_hub_that_is_away() -> None:
    host, hub, worker = host_with(REFUSAL)
    hub.errors.extend([UnavailableError("peer.away", "away")] * 2)

    assert host.work_once()
    assert len(hub.reports) == 1
    assert len(worker.starts) == 1


def test_a_host_that_is_told_to_stop_kills_its_worker_and_reports_nothing() -> None:
    host, hub, worker = host_with(UnavailableError("host.worker-died", "the worker died"))
    host.stop()

    assert worker.stopped
    with pytest.raises(UnavailableError):
        host.work_once()
    host.run()
    assert not hub.reports


def test_a_hub_that_refuses_the_host_does_not_end_it() -> None:
    host, hub, _ = host_with(REFUSAL)
    hub.errors.append(NotPermittedError("hub.host", "no host of this hub"))

    with pytest.raises(NotPermittedError):
        host.work_once()
    assert not hub.reports


def test_a_keeper_whose_url_is_unknown_is_away() -> None:
    courier = HttpCourier(None, {}, None)  # type: ignore[arg-type]

    with pytest.raises(UnavailableError) as refusal:
        courier.carry("0x" + "09" * 20, "keeper.nonce", b"")
    assert refusal.value.code == "host.unknown-keeper"


def test_a_host_is_built_from_one_file(tmp_path: Path) -> None:
    from nebula.protocol.wire import to_canonical

    save_key(tmp_path / "host.key", SigningKey.generate().secret)
    file = tmp_path / "settings.json"
    file.write_bytes(to_canonical(SETTINGS))

    host = build(load_settings(file), tmp_path)

    assert host.settings == SETTINGS
    assert isinstance(host.worker, Worker)
    assert isinstance(host.worker.command, Command)


def test_settings_are_read_strictly(tmp_path: Path) -> None:
    from nebula.protocol.wire import to_canonical

    file = tmp_path / "settings.json"
    good = json.loads(to_canonical(SETTINGS))
    file.write_text(json.dumps(good | {"cpu": {"type": "gramine", "folder": "/opt/nebula"}}))
    assert isinstance(load_settings(file).cpu, GramineCpu)
    for bad in ({"surprise": 1}, {"cpu": {"type": "abacus"}}, {"poll_seconds": 0}):
        file.write_text(json.dumps(good | bad))
        with pytest.raises(RejectedInputError):
            load_settings(file)
