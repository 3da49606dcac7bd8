"""One network for all attackers who need a real one."""

from collections.abc import Iterator

import pytest

from attacks.network import FinishedNetwork, make_finished_network, stop


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedNetwork]:
    found = make_finished_network(tmp_path_factory.mktemp("attacked") / "network")
    yield found
    stop(found.folder, found.taps)
