"""One worker process, from start to its last frame.

The worker ends with its host: by the kernel's parent-death signal, and because its pipe closes. It is killed when the
study's deadline passes: a receipt could settle nothing any more.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

import structlog

from nebula.host.carry import Courier
from nebula.host.outbox import Draft, KeptOutput
from nebula.host.settings import GramineCpu, SimulatedCpu
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.messages import AnswerRequest, ErrorAnswer, RunOrder, RunProgress, SessionRequest
from nebula.protocol.wire import MAX_MESSAGE_BYTES, parser, to_canonical
from nebula.protocol.worker import (
    Answered,
    Candidates,
    Carry,
    Failed,
    Finished,
    Owners,
    Progress,
    Receive,
    Register,
    Reply,
    Start,
    Unanswered,
    read_from_worker,
    write_frame,
)

THREADS = 16
MAX_WAIT_SECONDS = 7 * 24 * 3600.0
STOP_SECONDS = 10.0
HUB_AWAY_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
# A worker gets nothing else of the host's surroundings.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")

_log = structlog.get_logger()
T = TypeVar("T")
_parse_session = parser(SessionRequest, max_bytes=MAX_MESSAGE_BYTES)


@dataclass(frozen=True, slots=True)
class Command:
    """How a worker is started: arguments, the folder to start it in, and what its environment has besides."""

    arguments: tuple[str, ...]
    folder: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()


def worker_command(cpu: SimulatedCpu | GramineCpu) -> Command:
    """Return how a worker is started on this kind of CPU."""
    if isinstance(cpu, SimulatedCpu):
        threads = (("OMP_NUM_THREADS", str(cpu.threads)),) if cpu.threads else ()
        return Command((sys.executable, "-m", "nebula.enclave", "--device", cpu.device), environment=threads)
    return Command((cpu.launcher, "worker"), Path(cpu.folder))


@dataclass(slots=True)
class Worker:
    """Runs one worker after the other; ``stop`` may be called from a signal handler."""

    command: Command
    _process: subprocess.Popen[bytes] | None = field(default=None)

    def run(
        self, start: Start, order: RunOrder, courier: Courier, *, output: Draft, at: datetime
    ) -> KeptOutput | ErrorAnswer:
        """Have one order carried out, and return what left the enclave, which is written to ``output`` by then.

        Raises:
            UnavailableError: the worker died, or said what no worker says.
        """
        seconds_left = (order.study.deadline_at - at).total_seconds()
        with (
            self._started() as (process, incoming, outgoing),
            _killing_after(seconds_left, process),
            ThreadPoolExecutor(THREADS) as pool,
        ):
            conversation = _Conversation(order, courier, outgoing, pool, output)
            conversation.say(start, to_canonical(order))
            try:
                return conversation.listen(incoming)
            finally:
                process.kill()  # it has said its last word, or will not

    def stop(self) -> None:
        """Kill the worker that runs now, if one does."""
        if self._process is not None:
            self._process.kill()

    @contextmanager
    def _started(self) -> Iterator[tuple[subprocess.Popen[bytes], BinaryIO, BinaryIO]]:
        process = subprocess.Popen(  # noqa: S603 - our own worker
            self.command.arguments,
            cwd=self.command.folder,
            env=_surroundings() | dict(self.command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - the host has one thread while it starts a worker
        )
        self._process = process
        try:
            yield process, cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
        finally:
            self._process = None
            process.kill()
            process.wait(STOP_SECONDS)
            for pipe in (process.stdin, process.stdout):
                _close(pipe)


def _surroundings() -> dict[str, str]:
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


class _Conversation:
    """What host and worker say to each other. Frames to the worker are written by whichever thread has an answer."""

    def __init__(
        self, order: RunOrder, courier: Courier, outgoing: BinaryIO, pool: ThreadPoolExecutor, output: Draft
    ) -> None:
        self._order = order
        self._courier = courier
        self._outgoing = outgoing
        self._pool = pool
        self._output = output
        self._lock = threading.Lock()
        self._questions: dict[int, str] = {}

    def say(self, header: Start | Answered | Unanswered, payload: bytes = b"") -> None:
        """Write one frame. A worker that is gone is noticed where it is listened to."""
        try:
            with self._lock:
                write_frame(self._outgoing, header, payload)
        except OSError:
            _log.info("worker-deaf", run=self._order.run)

    def listen(self, incoming: BinaryIO) -> KeptOutput | ErrorAnswer:
        """Do what the worker asks for until it has finished or failed."""
        while True:
            try:
                said = read_from_worker(incoming)
            except NebulaError as error:
                raise UnavailableError("host.worker-broken", f"the worker broke off: {error.message}") from error
            if said is None:
                raise UnavailableError("host.worker-died", "the worker died", hint="it is started again")
            header, payload = said
            if isinstance(header, Finished):
                return _as_output(self._output.finish, payload)
            if isinstance(header, Failed):
                return header.error
            self._do(header, payload)

    def _do(self, asked: Carry | Register | Candidates | Receive | Reply | Progress | Owners, payload: bytes) -> None:
        match asked:
            case Carry() | Register() | Candidates() | Receive():
                self._pool.submit(self._answer, asked.sequence, self._asking(asked, payload))
            case Reply():
                self._pool.submit(self._reply, asked, payload)
            case Progress():
                self._note(asked)
            case Owners():
                _as_output(self._output.add_page, payload)

    def _asking(self, question: Carry | Register | Candidates | Receive, payload: bytes) -> Callable[[], bytes]:
        match question:
            case Carry():
                return lambda: self._courier.carry(question.keeper, question.kind, payload)
            case Candidates():
                return lambda: to_canonical(self._courier.candidates(self._order.run, question.after))
            case Register():
                return lambda: self._registered(payload)
            case Receive():
                return lambda: self._received(question)

    def _registered(self, raw: bytes) -> bytes:
        self._courier.register(_parse_session(raw))
        return b""

    def _received(self, asking: Receive) -> bytes:
        try:
            asked = self._courier.next_question(self._order.run, asking.session)
        except UnavailableError as error:
            # The discovery goes on: its session is worth more than the moment that the hub is away.
            _log.info("no-questions", run=self._order.run, code=error.code)
            time.sleep(HUB_AWAY_SECONDS)
            return b""
        if asked is None:
            return b""
        self._questions[asking.sequence] = asked.question
        return asked.letter

    def _reply(self, reply: Reply, letter: bytes) -> None:
        question = self._questions.pop(reply.sequence, None)
        if question is None:
            return  # the worker answers what it was not asked: there is nobody to hand it to
        answer = AnswerRequest(run=self._order.run, question=question, letter=letter or None, error=reply.error)
        try:
            self._courier.answer(answer)
        except NebulaError as error:
            _log.info("answer-undelivered", run=self._order.run, code=error.code)  # the buyer asks again

    def _answer(self, sequence: int, ask: Callable[[], bytes]) -> None:
        try:
            payload = ask()
        except NebulaError as error:
            self.say(Unanswered(sequence=sequence, error=ErrorAnswer.of(error)))
        else:
            self.say(Answered(sequence=sequence), payload)

    def _note(self, progress: Progress) -> None:
        run = self._order.run
        _log.info("progress", run=run, stage=progress.stage, done=progress.done, total=progress.total)
        told = RunProgress(run=run, stage=progress.stage, done=progress.done, total=progress.total)
        self._pool.submit(self._tell, told)

    def _tell(self, progress: RunProgress) -> None:
        try:
            self._courier.progress(progress)
        except NebulaError as error:
            _log.info("progress-untold", code=error.code)  # it only informs; the run goes on


def _as_output(keep: Callable[[bytes], T], raw: bytes) -> T:
    try:
        return keep(raw)
    except RejectedInputError as error:
        raise UnavailableError("host.worker-broken", f"the worker's output is malformed: {error.message}") from error


@contextmanager
def _killing_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    timer = threading.Timer(min(max(seconds, 0.0), MAX_WAIT_SECONDS), process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except BrokenPipeError:
        return  # what could not be flushed has no reader any more


def _die_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return prepare
