"""What every test may use."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("nebula", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nebula")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip that says what is missing."""
    folder = Path(os.environ.get("NEBULA_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the shared data folder {folder} is absent")
    return folder


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A PostgreSQL schema of the test's own, so that tests side by side do not meet."""
    url = os.environ.get("NEBULA_TEST_POSTGRES_URL")
    if not url:
        pytest.skip("NEBULA_TEST_POSTGRES_URL is not set")
    schema = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every test of a party's state runs on every database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'party.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests of one group share a network of real processes: a runner that tears groups apart would start it twice."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torn = [
            item.nodeid for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid
        ]
        if torn:
            raise pytest.UsageError(f"pytest-xdist does not keep groups of tests together: {torn[0]}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it loudly where a skip is no excuse: in the gate everything that tests need is installed."""
    if os.environ.get("NEBULA_NO_SKIPS") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("NEBULA_NO_SKIPS: tests were skipped that could run here", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the gate when anything was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NEBULA_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = 1
