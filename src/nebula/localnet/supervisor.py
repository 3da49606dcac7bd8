"""Keep the processes of a network running until told to stop.

One supervisor per folder, held by a lock. A process that ends is started again, at most once a second; its
output goes to ``logs/NAME.log``. Children are told by the kernel when the supervisor dies, so that a
supervisor killed outright leaves nothing running behind.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import msgspec

from nebula.files import replace_file
from nebula.protocol.errors import NotPermittedError, UnavailableError

POLL_SECONDS = 0.1
RESTART_SECONDS = 1.0
STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class ProcessSpec(msgspec.Struct, frozen=True):
    """One process: its name, and its arguments after ``python -m``."""

    name: str
    arguments: tuple[str, ...]


class ProcessState(msgspec.Struct, frozen=True):
    """What ``nebula status`` shows of one process."""

    name: str
    pid: int
    starts: int


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    started: float
    starts: int = 1


@dataclass(slots=True)
class Supervisor:
    """Runs processes below one folder.

    Attributes:
        folder: holds the lock, the logs and the list of processes.
        specs: what can run by now; asked again and again, and what is new in it is started.
    """

    folder: Path
    specs: Callable[[], Sequence[ProcessSpec]]
    _children: dict[str, _Child] = field(default_factory=dict)
    _stopping: bool = False

    def run(self) -> None:
        """Hold the folder's lock, start everything and keep it running until SIGTERM or SIGINT.

        Raises:
            UnavailableError: another supervisor holds the folder.
        """
        with _hold(self.folder):
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            try:
                while not self._stopping:
                    self._start_new()
                    self._restart_ended()
                    time.sleep(POLL_SECONDS)
            finally:
                stop_all([child.process for child in reversed(self._children.values())])
                (self.folder / "processes.json").unlink(missing_ok=True)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start_new(self) -> None:
        new = [spec for spec in self.specs() if spec.name not in self._children]
        for spec in new:
            self._children[spec.name] = _Child(spec, self._start(spec), time.monotonic())
        if new:
            self._note()

    def _restart_ended(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.process.poll() is not None and now - child.started > RESTART_SECONDS:
                child.process, child.started = self._start(child.spec), now
                child.starts += 1
                self._note()

    def _start(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{spec.name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own interpreter, our own modules
                [sys.executable, "-m", *spec.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )

    def _note(self) -> None:
        states = [ProcessState(name, child.process.pid, child.starts) for name, child in self._children.items()]
        replace_file(self.folder / "processes.json", msgspec.json.encode(states))


def running(folder: Path) -> int | None:
    """Return the process id of the folder's supervisor, or None. A lock tells it, never an old number."""
    try:
        with (folder / "supervisor.lock").open("rb+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or b"0") or None
    except FileNotFoundError:
        return None
    return None


def stop(folder: Path) -> bool:
    """End a folder's supervisor, and with it everything; False when none runs.

    Raises:
        NotPermittedError: another user runs it.
        UnavailableError: it does not end.
    """
    supervisor = running(folder)
    if supervisor is None:
        return False
    try:
        os.kill(supervisor, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it ended by itself just now
    except PermissionError as error:
        raise NotPermittedError(
            "localnet.other-user", f"the network in {folder} is run by another user, as process {supervisor}"
        ) from error
    wait_until(lambda: running(folder) is None, seconds=3 * STOP_SECONDS, what="the supervisor's end")
    return True


def states(folder: Path) -> list[ProcessState]:
    """Return what the supervisor last noted; empty when nothing runs, unless it ended without being told to."""
    try:
        return msgspec.json.decode((folder / "processes.json").read_bytes(), type=list[ProcessState])
    except FileNotFoundError:
        return []


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for something to become true.

    Raises:
        UnavailableError: it did not, in time.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise UnavailableError("localnet.slow", f"{what} was not ready within {seconds:.0f} seconds")
        time.sleep(POLL_SECONDS)


def stop_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask processes to end, wait, and end those that do not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _hold:  # noqa: N801 - used as a function: with _hold(folder)
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "supervisor.lock").open("a+b")

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise UnavailableError(
                "localnet.running", "this network is running already", hint="`nebula status` shows it"
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _die_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return prepare
