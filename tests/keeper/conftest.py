"""The keeper suite's fixtures: one world per test, on every database."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from keeper.world import NOW, World
from nebula.attestation.simulator.pki import DevelopmentPki
from simulators.sgx import SgxHardware


@pytest.fixture(scope="session")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> SgxHardware:
    return SgxHardware(DevelopmentPki.create(tmp_path_factory.mktemp("sgx") / "pki", at=NOW), at=NOW)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    url = os.environ.get("NEBULA_TEST_POSTGRES_URL")
    if not url:
        pytest.skip("NEBULA_TEST_POSTGRES_URL is not set")
    schema = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'keeper.db'}"
    return str(request.getfixturevalue("postgres_url"))


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
