"""A real ledger as a process, for what the hub does on it."""

from collections.abc import Iterator

import pytest

from ledger.ledgers import FAUCET, Market, embedded, make_market


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with embedded(tmp_path_factory.mktemp("hub-ledger")) as ledger:
        made = make_market(ledger)
        ledger.transact(FAUCET, None, to=made.operator.address, value_wei=10**20)
        yield made
