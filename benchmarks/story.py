"""How long the main story takes, step by step, and how much memory all of its processes take together.

    python -P benchmarks/story.py [--people 300] [--rounds 3]
    python -P benchmarks/story.py --cohort VCF.GZ --phenotypes TSV --trait COLUMN --rounds 1

Every round is a new network in a new folder. Memory is the sum of the proportional set sizes (PSS: shared pages
counted once) of the demo and of everything below it, looked at twice a second; the largest sum is told. The load
average of the machine before each round is told too: on a machine that does something else, times say little.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOOK_SECONDS = 0.5
GIBIBYTE_KB = 1 << 20


def main() -> None:
    """Tell the story some times, and print the medians and the spread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    asked, demo_arguments = parser.parse_known_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    rounds = [tell(demo_arguments, number) for number in range(1, asked.rounds + 1)]
    print(f"\n{'step':<10} {'median s':>9} {'least':>7} {'most':>7}")
    for step in rounds[0]:
        values = [one[step] for one in rounds]
        print(f"{step:<10} {statistics.median(values):9.2f} {min(values):7.2f} {max(values):7.2f}")


def tell(demo_arguments: list[str], number: int) -> dict[str, float]:
    """Run one demo; returns seconds by step, the whole, and GiB at the peak."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="nebula-story-") as folder:
        command = [sys.executable, "-m", "nebula.cli", "demo", "--json", "--dir", f"{folder}/network", *demo_arguments]
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as demo:
            peak_kb = 0
            while demo.poll() is None:
                peak_kb = max(peak_kb, sum(pss_kb(pid) for pid in tree(demo.pid)))
                time.sleep(LOOK_SECONDS)
            output = demo.stdout.read() if demo.stdout else b""
        whole = time.monotonic() - began
    if demo.returncode:
        raise SystemExit(f"the demo ended with status {demo.returncode}")
    told = json.loads(output.splitlines()[-1])
    print(f"round {number}: {told['people']} people, load {load:.1f}, {whole:.1f} s, {peak_kb / GIBIBYTE_KB:.2f} GiB")
    return told["seconds"] | {"whole": whole, "peak GiB": peak_kb / GIBIBYTE_KB}


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue  # it has just ended
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def pss_kb(process: int) -> int:
    """Return a process's proportional set size; 0 when it has just ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
