"""The ledger suite's fixtures: every ledger, every database."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ledger.ledgers import Ledger, Market, anvil, embedded, make_market


@pytest.fixture(scope="session", params=["embedded", "anvil"])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    if request.param == "anvil":
        with anvil() as found:
            yield found
    else:
        with embedded(tmp_path_factory.mktemp("ledger")) as found:
            yield found


@pytest.fixture(scope="session")
def market(ledger: Ledger) -> Market:
    return make_market(ledger)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'party.db'}"
        return
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
