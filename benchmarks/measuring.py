"""How benchmarks measure: processor time of one thread, medians of rounds in which both sides take turns.

Wall-clock time says more about who else uses the machine. A round's time is user plus system time, of this process
for our functions and of the child for a peer's command.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
# One thread everywhere; and what a machine's owner set for OpenBLAS must not slow a peer down.
SINGLE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "POLARS", "RAYON")}
_NOT_INHERITED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Figure:
    """Seconds of processor time: the median, the fastest and the slowest round."""

    median: float
    fastest: float
    slowest: float
    rounds: int

    def __str__(self) -> str:
        return f"{self.median:9.3f} s   ({self.fastest:.3f} to {self.slowest:.3f})"


def figure(seconds: Sequence[float]) -> Figure:
    """Sum rounds up."""
    return Figure(statistics.median(seconds), min(seconds), max(seconds), len(seconds))


def own_time(work: Callable[[], object]) -> float:
    """Return the processor time that this process spends on some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def command_time(command: Sequence[str], folder: Path) -> float:
    """Return the processor time of a command and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED} | SINGLE
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr or done.stdout}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def leave_on_disk(file: Path) -> None:
    """Have the system forget what it holds of a file: it is read anew, as one is that was there before.

    What Linux reads ahead it maps in large pieces; what was written a moment ago, page by page.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def take_turns(rounds: int, works: Mapping[str, Callable[[], float]]) -> dict[str, Figure]:
    """Measure several things, one round of each after the other; print each.

    Each round begins with the next of them: the first one finds caches that others have filled meanwhile.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for begin in range(rounds):
        for place in range(len(names)):
            name = names[(begin + place) % len(names)]
            seconds[name].append(works[name]())
    found = {name: figure(all_rounds) for name, all_rounds in seconds.items()}
    for name, one in found.items():
        print(f"  {name:<44}{one}", flush=True)
    return found


def machine() -> dict[str, str]:
    """What ran the benchmark."""
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "processor": cpu,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "nebula": version("nebula-network"),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def tool_version(*command: str) -> str:
    """First line of what a tool says about itself."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def row(name: str, ours: float, peer: float, bar: float) -> dict[str, object]:
    """Print and return one row: how many times as fast as the peer we are, and how fast we mean to be at least."""
    ratio = peer / ours
    print(f"{name}: {ratio:.1f} times as fast as the peer; the bar is {bar:g}", flush=True)
    return {"name": name, "ours_seconds": ours, "peer_seconds": peer, "ratio": round(ratio, 2), "bar": bar}


def write_results(name: str, content: Mapping[str, object]) -> None:
    """Write a benchmark's report, with the machine that it ran on."""
    RESULTS.mkdir(exist_ok=True)
    report = {"measured": datetime.now(UTC).date().isoformat(), "machine": machine(), **content}
    text = json.dumps(report, indent=2, default=lambda one: asdict(one) if isinstance(one, Figure) else str(one))
    (RESULTS / f"{name}.json").write_text(text + "\n")
