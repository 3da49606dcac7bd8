"""One compilation for all, and for each test a chain of its own."""

from collections.abc import Iterator
from typing import Any

import boa
import pytest

from contracts.deployment import Deployment, deployers


@pytest.fixture(scope="session")
def compiled() -> dict[str, Any]:
    return deployers()


@pytest.fixture(scope="session")
def _deployed(compiled: dict[str, Any]) -> Deployment:
    return Deployment(compiled)


@pytest.fixture
def ledger(_deployed: Deployment) -> Iterator[Deployment]:
    """The first day's ledger; what a test does to it is undone afterwards."""
    with boa.env.anchor():
        yield _deployed
