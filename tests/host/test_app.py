"""The host's loop: a hub that is away, that says no, that gives the same order again."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nebula.host.app import MAX_DEATHS, EnclaveHost, build
from nebula.host.carry import HttpCourier, panel_location
from nebula.host.outbox import Draft, Outbox
from nebula.host.settings import GramineCpu, HostSettings, KeeperUrl, SimulatedCpu, load_settings
from nebula.host.worker import Command, Worker
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    ORDER,
    OWNERS,
    REPORT,
    Accepted,
    ErrorAnswer,
    Kind,
    OrderAnswer,
    OwnersReport,
    RunReport,
)
from nebula.protocol.receipt import RunOutput
from nebula.protocol.wire import Document, to_canonical
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
    pages: list[OwnersReport] = field(default_factory=list)
    reports: list[RunReport] = field(default_factory=list)

    def ask(self, kind: Kind, body: Document, _answer: type[Document]) -> Document:
        if kind is ORDER:
            return OrderAnswer(order=None if self.reports else self.order)
        if self.errors:
            raise self.errors.popleft()
        if isinstance(body, OwnersReport):
            assert kind is OWNERS
            self.pages.append(body)
        else:
            assert kind is REPORT
            assert isinstance(body, RunReport)
            self.reports.append(body)
        return Accepted()


@dataclass
class StubWorker:
    """Ends in one outcome after the other."""

    outcomes: deque[Any]
    starts: list[Start] = field(default_factory=list)
    stopped: bool = False

    def run(self, start: Start, _order: Any, _courier: Any, *, output: Draft, at: datetime) -> Any:
        assert at.tzinfo is UTC
        self.starts.append(start)
        outcome = self.outcomes.popleft()
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, RunOutput):
            for page in outcome.pages(7):
                output.add_page(to_canonical(page))
            return output.finish(to_canonical(outcome.head))
        return outcome

    def stop(self) -> None:
        self.stopped = True


Make = Callable[..., tuple[EnclaveHost, StubHub, StubWorker]]


@pytest.fixture
def host_with(tmp_path: Path) -> Make:
    """Make a host whose workers end in one outcome after the other."""

    def make(*outcomes: Any) -> tuple[EnclaveHost, StubHub, StubWorker]:
        world = make_world(MemoryStorage())
        hub, worker = StubHub(world.order), StubWorker(deque(outcomes))
        outbox = Outbox(tmp_path / "outbox")
        host = EnclaveHost(SETTINGS, hub, None, worker, outbox, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type]
        return host, hub, worker

    return make


@pytest.fixture(scope="module")
def output() -> RunOutput:
    return make_world(MemoryStorage()).run()


def test_an_output_goes_out_in_pages_and_the_head_last(host_with: Make, output: RunOutput) -> None:
    host, hub, _ = host_with(output)

    assert host.work_once()
    assert [payout for report in hub.pages for payout in report.page.payouts] == list(output.payouts)
    assert [leaf for report in hub.pages for leaf in report.page.leaves] == list(output.leaves)
    assert {report.session for report in hub.pages} == {output.head.signed.receipt.session}
    assert [report.head for report in hub.reports] == [output.head]
    assert host.outbox.waiting() == []


@pytest.mark.parametrize("sent", range(7))
def test_a_host_killed_between_pages_hands_in_the_rest_and_runs_nothing_twice(
    host_with: Make, output: RunOutput, sent: int
) -> None:
    host, hub, worker = host_with(output)
    killed = KeyboardInterrupt()

    def die_after_some(kind: Kind, body: Document, answer: type[Document]) -> Document:
        if len(hub.pages) == sent and kind is not ORDER:
            raise killed
        return StubHub.ask(hub, kind, body, answer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub, "ask", die_after_some, raising=False)
        with pytest.raises(KeyboardInterrupt):
            host.work_once()
    again, _, idle = host_with()
    again.hub = hub  # type: ignore[assignment]

    assert again.work_once()
    assert {payout.index for report in hub.pages for payout in report.page.payouts} == set(range(40))
    assert [report.head for report in hub.reports] == [output.head]
    assert (len(worker.starts), len(idle.starts)) == (1, 0)


def test_what_a_worker_left_half_done_is_thrown_away(host_with: Make, output: RunOutput) -> None:
    host, hub, _ = host_with(REFUSAL)
    host.outbox.begin("0x" + "77" * 32).add_page(to_canonical(next(output.pages(7))))

    assert host.work_once()
    assert not hub.pages
    assert not (host.outbox.folder / ("0x" + "77" * 32)).exists()


def test_what_the_hub_refuses_is_not_handed_in_for_ever(host_with: Make, output: RunOutput) -> None:
    host, hub, worker = host_with(output, REFUSAL)
    hub.errors.append(IntegrityError("hub.output", "the payouts are not those of the receipt"))

    with pytest.raises(IntegrityError):
        host.work_once()
    assert host.work_once()
    assert len(worker.starts) == 2


def test_an_output_waits_for_clocks_that_differ(host_with: Make, output: RunOutput) -> None:
    host, hub, worker = host_with(output)
    hub.errors.extend([NotPermittedError("message.stale", "sent at another time")] * 2)

    assert host.work_once()
    assert hub.reports
    assert len(worker.starts) == 1


def test_a_page_that_the_disk_altered_is_no_page(host_with: Make, output: RunOutput) -> None:
    host, hub, _ = host_with()
    draft = host.outbox.begin("0x" + "77" * 32)
    draft.add_page(to_canonical(next(output.pages(7))))
    draft.finish(to_canonical(output.head))
    next(draft.folder.glob("page-*")).write_bytes(b"{}")

    with pytest.raises(IntegrityError, match="page-00000000"):
        host.work_once()
    assert not hub.reports


def test_without_an_order_there_is_nothing_to_do(host_with: Make) -> None:
    host, hub, worker = host_with()
    hub.order = None

    assert not host.work_once()
    assert not worker.starts


def test_a_refusal_of_the_enclave_is_reported(host_with: Make) -> None:
    host, hub, worker = host_with(REFUSAL)

    assert host.work_once()
    assert [report.error for report in hub.reports] == [REFUSAL]
    panel = hub.order.study.panel
    assert (
        worker.starts[0].panel_location == panel_location(SETTINGS.panels_url, panel) == f"file:///panels#{panel[2:]}"
    )


def test_what_may_come_back_is_not_reported_but_tried_again(host_with: Make) -> None:
    host, hub, _ = host_with(AWAY, REFUSAL)

    with pytest.raises(UnavailableError):
        host.work_once()
    assert not hub.reports
    assert host.work_once()


def test_a_worker_that_dies_is_started_again_and_at_last_reported(host_with: Make) -> None:
    died = UnavailableError("host.worker-died", "the worker died")
    host, hub, _ = host_with(*[died] * MAX_DEATHS)

    for _ in range(MAX_DEATHS - 1):
        with pytest.raises(UnavailableError):
            host.work_once()
    assert host.work_once()
    assert hub.reports[0].error is not None
    assert hub.reports[0].error.code == "host.worker-dies"


def test_a_report_waits_for_a_hub_that_is_away(host_with: Make) -> None:
    host, hub, worker = host_with(REFUSAL)
    hub.errors.extend([UnavailableError("peer.away", "away")] * 2)

    assert host.work_once()
    assert len(hub.reports) == 1
    assert len(worker.starts) == 1


def test_a_host_that_is_told_to_stop_kills_its_worker_and_reports_nothing(host_with: Make) -> None:
    host, hub, worker = host_with(UnavailableError("host.worker-died", "the worker died"))
    host.stop()

    assert worker.stopped
    with pytest.raises(UnavailableError):
        host.work_once()
    host.run()
    assert not hub.reports


def test_a_hub_that_refuses_the_host_does_not_end_it(host_with: Make) -> None:
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
    save_key(tmp_path / "host.key", SigningKey.generate().secret)
    file = tmp_path / "settings.json"
    file.write_bytes(to_canonical(SETTINGS))

    host = build(load_settings(file), tmp_path)

    assert host.settings == SETTINGS
    assert isinstance(host.worker, Worker)
    assert isinstance(host.worker.command, Command)


def test_settings_are_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    good = json.loads(to_canonical(SETTINGS))
    file.write_text(json.dumps(good | {"cpu": {"type": "gramine", "folder": "/opt/nebula"}}))
    assert isinstance(load_settings(file).cpu, GramineCpu)
    for bad in ({"surprise": 1}, {"cpu": {"type": "abacus"}}, {"poll_seconds": 0}):
        file.write_text(json.dumps(good | bad))
        with pytest.raises(RejectedInputError):
            load_settings(file)
