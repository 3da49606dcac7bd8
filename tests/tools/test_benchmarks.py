"""Benchmarks are run by hand, and still find what they measure where it is."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_every_benchmark_can_be_loaded() -> None:
    names = sorted(path.stem for path in FOLDER.glob("*.py"))
    assert len(names) > 10
    paths = [str(FOLDER), str(FOLDER.parent / "tests")]
    code = f"import sys; sys.path[:0] = {paths!r}; import {', '.join(names)}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
