"""What is deployed is what the sources say."""

import importlib.util
import json
from types import ModuleType

import pytest

from contracts.deployment import SOURCES

NAMES = ("organizations", "token", "records", "sessions", "studies", "panels")
LARGEST_CODE = 24_576  # EIP-170


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contracts_build", SOURCES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_an_artefact_is_exactly_what_its_source_compiles_to(build: ModuleType, name: str) -> None:
    committed = (build.ARTEFACTS / f"{name}.json").read_text(encoding="utf-8")
    assert committed == build.render(build.compile_contract(name)), "run `python contracts/build.py`"


def test_every_contract_has_an_artefact_and_nothing_else_has(build: ModuleType) -> None:
    assert sorted(path.stem for path in build.ARTEFACTS.glob("*.json")) == sorted(NAMES) == sorted(build.CONTRACTS)


@pytest.mark.parametrize("name", NAMES)
def test_every_contract_fits_on_any_chain(build: ModuleType, name: str) -> None:
    artefact = json.loads((build.ARTEFACTS / f"{name}.json").read_text(encoding="utf-8"))
    assert len(artefact["bytecode"]) // 2 < LARGEST_CODE


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.vy")), ids=lambda path: path.stem)
def test_every_source_pins_its_compiler_and_its_machine(path: object) -> None:
    lines = SOURCES.joinpath(str(path)).read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# pragma version 0.4.3", "# pragma evm-version cancun"]
