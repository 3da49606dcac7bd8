"""Benchmarks are run by hand, and still find what they measure where it is."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_benchmark_can_be_loaded(name: str) -> None:
    paths = [str(FOLDER), str(FOLDER.parent / "tests")]
    code = f"import sys; sys.path[:0] = {paths!r}; import {name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
