"""One long-lived network for all that is killed in it, and what a study gives in it that nobody disturbs."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from faults.acts import NEWER_PANEL, PANEL, panel_in
from faults.network import PEOPLE, FaultyNetwork
from faults.study_runs import run_study
from nebula.localnet.custodian import offer_panel


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed study gave, to compare with."""

    files: dict[str, bytes]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyNetwork]:
    made = FaultyNetwork.make(tmp_path_factory.mktemp("faults") / "network")
    try:
        made.up()
        for panel in (PANEL, NEWER_PANEL):
            offer_panel(made.folder, panel_in(made.folder, panel))
        made.act("import", "everyone", "HMB")
        assert made.act("enrol", "everyone") == {"registered": PEOPLE}
        yield made
    finally:
        made.down()
        made.wires.close()


@pytest.fixture(scope="session")
def undisturbed(network: FaultyNetwork) -> Undisturbed:
    return Undisturbed(dict(run_study(network).files))
