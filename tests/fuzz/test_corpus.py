"""Every seed and every finding of the fuzzers is tried again; see ``fuzz/targets.py`` for the law."""

from pathlib import Path

import pytest
from targets import TARGETS

from conftest import REPOSITORY

CORPUS = REPOSITORY / "fuzz" / "corpus"
INPUTS = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def test_every_target_has_a_seed_and_every_seed_a_target() -> None:
    assert {path.parent.name for path in INPUTS} == set(TARGETS)


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}/{path.name}" for path in INPUTS])
def test_no_input_of_the_corpus_breaks_the_law(path: Path) -> None:
    raw = path.read_bytes()
    TARGETS[path.parent.name](raw)
    TARGETS[path.parent.name](raw[: len(raw) // 2])
