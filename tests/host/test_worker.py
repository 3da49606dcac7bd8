"""A real worker process behind a real pipe, quoting on simulated hardware, against keepers in memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nebula.attestation.evidence import appraise_evidence
from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.bundle import measure_installed_bundle
from nebula.attestation.simulator.collateral import issue_collateral
from nebula.attestation.simulator.cpu import SimulatedCpu as Cpu
from nebula.attestation.simulator.device import serving_device
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.host.outbox import KeptOutput, Outbox
from nebula.host.settings import GramineCpu, SimulatedCpu
from nebula.host.worker import Command, Worker, worker_command
from nebula.protocol.beacon import BeaconRequest
from nebula.protocol.discovery import AskedQuestion, ask
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.merkle import payout_tree
from nebula.protocol.messages import AnswerRequest, CarriedQuestion, ErrorAnswer
from nebula.storage import LocalStorage
from simulators.discoveries import make_discovery
from simulators.keepers import SimulatedCourier
from simulators.sgx import development_policy
from simulators.studies import World, make_world

Run = Callable[[Worker], KeptOutput | ErrorAnswer]
BUYER = SigningKey.generate()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, DevelopmentPki]]:
    folder = tmp_path_factory.mktemp("hardware")
    pki = DevelopmentPki.open(folder / "pki", at=now())
    with serving_device(folder / "device", Cpu(pki, measure_installed_bundle)) as device:
        yield device, pki


@pytest.fixture
def world(tmp_path: Path, hardware: tuple[Path, DevelopmentPki]) -> World:
    world = make_world(LocalStorage(tmp_path / "storage"), people=24)
    world.change(trust_root=hardware[1].trust_root.fingerprint, measurement=measure_installed_bundle())
    return world


@pytest.fixture
def run(tmp_path: Path, world: World) -> Run:
    """Have a worker carry out the world's order."""

    def carry_out(worker: Worker) -> KeptOutput | ErrorAnswer:
        world.name_everybody()
        output = Outbox(tmp_path / "outbox").begin(world.order.run)
        return worker.run(world.start, world.order, SimulatedCourier(world.host), output=output, at=now())

    return carry_out


def worker_on(device: Path) -> Worker:
    return Worker(worker_command(SimulatedCpu(device=str(device))))


def test_a_run_in_a_process_of_its_own_ends_in_a_receipt(
    run: Run, world: World, hardware: tuple[Path, DevelopmentPki]
) -> None:
    device, pki = hardware

    output = run(worker_on(device))

    assert isinstance(output, KeptOutput)
    assert output.head.signed.receipt.record_count == 24
    payouts = [payout for page in output.pages() for payout in page.payouts]
    assert to_hex(payout_tree(payouts).root) == output.head.signed.receipt.payout_root
    (request,) = world.host.registered
    assert request.evidence == output.head.evidence
    policy = development_policy(pki.trust_root.fingerprint, frozenset({world.study.measurement}))
    root = TrustRoot(pki.trust_root.certificate_der)
    session = appraise_evidence(output.head.evidence, issue_collateral(pki, at=now()), [root], policy, at=now())
    assert session.simulated
    assert session.measurement == output.head.signed.receipt.measurement
    stages = [stage for stage, _, _ in world.host.stages]
    assert list(dict.fromkeys(stages)) == [
        "attesting",
        "releasing",
        "released",
        "assembling",
        "assembled",
        "analysing",
        "analysed",
        "confirming",
    ]


def test_a_workers_refusal_comes_out_as_an_error(run: Run, world: World, hardware: tuple[Path, DevelopmentPki]) -> None:
    world.change(min_records=25)

    error = run(worker_on(hardware[0]))

    assert isinstance(error, ErrorAnswer)
    assert (error.family, error.code) == ("not-permitted", "run.too-few-records")


def test_without_a_cpu_a_worker_says_so(run: Run, world: World, tmp_path: Path) -> None:
    error = run(worker_on(tmp_path))

    assert isinstance(error, ErrorAnswer)
    assert error.code == "quoting.absent"


@pytest.mark.parametrize("stage", ["attesting", "released", "assembled", "analysed", "confirming"])
def test_a_killed_worker_can_be_run_again(
    run: Run, world: World, hardware: tuple[Path, DevelopmentPki], stage: str
) -> None:
    worker = worker_on(hardware[0])
    world.host.at_stage[stage] = worker.stop

    output = None
    with suppress(UnavailableError):  # it may have been faster than the signal
        output = run(worker)
    output = output or run(worker)

    assert isinstance(output, KeptOutput)
    assert output.head.signed.receipt.record_count == 24
    sessions = {request.evidence.session for request in world.host.registered}
    assert output.head.signed.receipt.session in sessions


@dataclass
class AskingCourier(SimulatedCourier):
    """A host of a discovery to which one buyer comes, and one stranger; then the worker is stopped."""

    stop: Callable[[], None] = lambda: None
    away: int = 1
    asked: dict[str, AskedQuestion | None] = field(default_factory=dict)
    answers: list[AnswerRequest] = field(default_factory=list)

    def next_question(self, run: str, session: str) -> CarriedQuestion | None:
        evidence = self.host.registered[-1].evidence
        assert (run, session) == (evidence.run, evidence.session)
        if self.away:
            self.away -= 1
            raise UnavailableError("peer.away", "the hub is away")
        if len(self.asked) == 2:
            return None
        name = f"0x{len(self.asked):064x}"
        self.asked[name] = ask(BeaconRequest(), evidence, key=BUYER.secret, at=now()) if not self.asked else None
        question = self.asked[name]
        return CarriedQuestion(question=name, letter=question.sealed if question else b"x" * 100)

    def answer(self, answer: AnswerRequest) -> None:
        self.answers.append(answer)
        if len(self.answers) == 2:
            self.stop()


def test_a_discovery_in_a_process_of_its_own_answers_until_it_is_stopped(
    world: World, hardware: tuple[Path, DevelopmentPki], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nebula.host.worker.HUB_AWAY_SECONDS", 0.0)
    make_discovery(world)
    world.name_everybody()
    worker = worker_on(hardware[0])
    courier = AskingCourier(world.host, worker.stop)

    output = Outbox(tmp_path / "outbox").begin(world.order.run)
    with pytest.raises(UnavailableError) as ended:
        worker.run(world.start, world.order, courier, output=output, at=now())

    assert ended.value.code == "host.worker-died"
    by_question = {answer.question: answer for answer in courier.answers}
    (name, question), (stranger, _) = courier.asked.items()
    assert question is not None
    letter = by_question[name].letter
    assert letter is not None
    told = question.open_answer(letter).response
    assert told is not None
    assert told.meta.test_mode
    error = by_question[stranger].error
    assert error is not None
    assert error.code == "sealing.not-opened"


def test_noise_on_the_pipe_is_a_broken_worker(run: Run, world: World) -> None:
    worker = Worker(Command((sys.executable, "-c", "import os; os.write(1, b'noise that is no frame')")))

    with pytest.raises(UnavailableError) as refusal:
        run(worker)
    assert refusal.value.code == "host.worker-broken"


def test_a_worker_that_outlives_the_deadline_is_killed(run: Run, world: World) -> None:
    world.change(deadline=int(now().timestamp()))
    worker = Worker(Command((sys.executable, "-c", "import time; time.sleep(600)")))

    with pytest.raises(UnavailableError) as refusal:
        run(worker)
    assert refusal.value.code == "host.worker-died"


HOST = """
import sys, time
from nebula.host.worker import Command, Worker
worker = Worker(Command((sys.executable, "-c", "import time; time.sleep(600)")))
with worker._started() as (process, _incoming, _outgoing):
    print(process.pid, flush=True)
    time.sleep(600)
"""


def test_a_worker_ends_with_its_host() -> None:
    with subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        worker = int(host.stdout.readline())
        host.kill()

    deadline = time.monotonic() + 20
    while _runs(worker):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_worker_gets_nothing_of_its_hosts_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_SECRET", "canary")
    worker = Worker(Command((sys.executable, "-c", "import os; print('CLOUD_SECRET' in os.environ)")))

    with worker._started() as (_, incoming, _outgoing):
        assert incoming.read() == b"False\n"


def test_gramine_is_started_in_its_manifests_folder() -> None:
    command = worker_command(GramineCpu(folder="/opt/nebula"))

    assert command == Command(("gramine-sgx", "worker"), Path("/opt/nebula"))


def test_a_worker_takes_as_many_threads_as_its_host_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    given = worker_command(SimulatedCpu(device="/somewhere", threads=1)).environment
    look = (sys.executable, "-c", "import os; print(os.environ['OMP_NUM_THREADS'])")

    with Worker(Command(look, environment=given))._started() as (_, incoming, _outgoing):
        assert incoming.read() == b"1\n"
