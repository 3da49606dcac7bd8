"""The ledger suite's fixtures: every ledger, every database."""

from collections.abc import Iterator

import pytest

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
