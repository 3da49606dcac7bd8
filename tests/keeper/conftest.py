"""The keeper suite's fixtures: one world per test, on every database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.world import NOW, World
from nebula.attestation.simulator.pki import DevelopmentPki
from simulators.sgx import SgxHardware


@pytest.fixture(scope="session")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> SgxHardware:
    return SgxHardware(DevelopmentPki.create(tmp_path_factory.mktemp("sgx") / "pki", at=NOW), at=NOW)


@pytest.fixture
def world(database_url: str, hardware: SgxHardware) -> Iterator[World]:
    found = World(database_url, hardware)
    yield found
    found.engine.dispose()


@pytest.fixture
def deep_world(tmp_path: Path, hardware: SgxHardware) -> Iterator[World]:
    """A world whose keeper waits for three confirmations."""
    found = World(f"sqlite:///{tmp_path / 'keeper.db'}", hardware, confirmations=3)
    yield found
    found.engine.dispose()
