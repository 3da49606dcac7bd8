"""What every test may use."""

import os
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip that says what is missing."""
    folder = Path(os.environ.get("NEBULA_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the shared data folder {folder} is absent")
    return folder


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it loudly where a skip is no excuse: in the gate everything that tests need is installed."""
    if os.environ.get("NEBULA_NO_SKIPS") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("NEBULA_NO_SKIPS: tests were skipped that could run here", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the gate when anything was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NEBULA_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = 1
