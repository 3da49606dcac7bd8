"""A ledger as a process, with one run in miniature on it."""

from collections.abc import Iterator

import pytest

from audit.miniature import Miniature, make_run
from ledger.ledgers import embedded, make_market


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Miniature]:
    with embedded(tmp_path_factory.mktemp("audit-ledger")) as ledger:
        yield make_run(make_market(ledger), tmp_path_factory.mktemp("audit-sgx"))
