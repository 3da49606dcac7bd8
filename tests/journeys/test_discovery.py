"""How many people fit? Real processes: a discovery starts, answers, loses its worker, its budget, and a person."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from attacks.network import PEOPLE, FinishedNetwork, populate, stop
from nebula.localnet.setup import open_network
from nebula.localnet.supervisor import states, wait_until
from nebula.protocol.beacon import BeaconRequest, Filter, Query
from nebula.protocol.errors import NebulaError
from nebula.vault.consent import change_policy, withdraw

pytestmark = pytest.mark.xdist_group("discovery")
RHO = ("--privacy-rho", "0.6", "--question-rho", "0.1", "--buyer-rho", "0.6")
"""Four answers where two of three keepers are needed and all answer. Their noise has deviation 2.2."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedNetwork]:
    folder = tmp_path_factory.mktemp("discovery") / "network"
    try:
        found = populate(folder, open_network(folder), {})
        hidden = found.records[0]
        policy = msgspec.structs.replace(hidden.policy, discoverable=False)
        change_policy(found.vault.engine, found.vault.owner, found.others, hidden.record, policy)
        told = type_command(found, "start", "--yes", "--min-records", "10", *RHO)
        assert told["matching"] == "fewer than 100"
        yield found
    finally:
        stop(folder, {})


def type_command(network: FinishedNetwork, *command: str) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, "-m", "nebula.cli", "discovery", *command, "--dir", str(network.folder), "--json"],
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = msgspec.json.decode(finished.stdout)
    return found


def session_of(network: FinishedNetwork) -> str | None:
    found = network.buyer.discoverer.open()
    return found[0].evidence.session if found else None


def count(network: FinishedNetwork, *filters: Filter) -> tuple[int | None, int]:
    """How many are told, and as of which block."""
    discoverer = network.buyer.discoverer
    told = discoverer.ask(discoverer.choose(), BeaconRequest(query=Query(filters=filters)))
    return told.count, told.block_number


def test_a_discovery_answers_loses_who_leaves_and_forgets_no_spending(network: FinishedNetwork) -> None:
    """One story, because each step changes what the next one finds."""
    everyone, block = count(network)
    assert everyone is not None
    assert abs(everyone - (PEOPLE - 1)) < 12, "all but the one who is not counted in searches"
    typed = type_command(network, "count")["beacon"]
    assert typed["responseSummary"] == {"exists": True, "numTotalResults": everyone}, "asked again, in other words"
    assert typed["meta"]["testMode"] is typed["info"]["simulated"] is True
    assert count(network, Filter(id="ldl", value=-1.0))[0] is None

    withdraw(network.vault.engine, network.vault.owner, network.others, [network.records[1].record])
    fewer, later = count(network)
    assert later > block
    assert fewer is not None

    before = session_of(network)
    host = next(one for one in states(network.folder) if one.name == "discovery-host")
    os.kill(host.pid, signal.SIGKILL)
    wait_until(lambda: session_of(network) not in (None, before), seconds=120, what="the next session")
    count(network)
    with pytest.raises(NebulaError) as refused:
        count(network, Filter(id="diagnosis", value="Zebrafieber-links"))
    assert refused.value.code == "discovery.buyer-budget"


def test_the_beacon_says_what_it_is_and_answers_signed_messages_alone(network: FinishedNetwork) -> None:
    info = msgspec.json.decode(network.fetch("/api/beacon/info"))
    assert info["response"]["environment"] == "test"
    assert info["meta"]["beaconId"] == info["response"]["id"]
    for path in ("individuals", "g_variants"):
        refused = httpx2.post(
            f"{network.local.hub_url}/api/beacon/{path}",
            content=b'{"meta":{"apiVersion":"v2.0.0"},"query":{}}',
            headers={"content-type": "application/json"},
            trust_env=False,
        )
        assert (refused.status_code, msgspec.json.decode(refused.content)["code"]) == (400, "wire.malformed")
