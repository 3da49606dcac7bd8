"""How many people fit? Real processes: a discovery starts, answers, loses its worker, its budget, and a person."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from journeys.test_commands import Terminal
from nebula.localnet.supervisor import states, wait_until
from nebula.protocol.ids import Address

PEOPLE = 40
pytestmark = pytest.mark.xdist_group("discovery")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    one = Terminal(tmp_path_factory.mktemp("discovery"))
    (one.folder / "pass-phrase").write_text("correct horse battery\n")
    try:
        one.type("up")
        one.type(f"population make people --people {PEOPLE} --trait height")
        one.type("vault init --vault biobank --json")
        one.type(
            "custodian import people/cohort.vcf.gz --phenotypes people/traits.tsv --new-panel made-up "
            "--vault biobank --yes"
        )
        one.type("consent edit P00001 --no-searches --vault biobank --yes")
        one.told["started"] = one.ask(
            "discovery start --yes --min-records 20 --privacy-rho 1 --question-rho 0.25 --buyer-rho 0.75"
        )
        yield one
    finally:
        one.type("down")


def count(terminal: Terminal, *options: str, status: int = 0) -> dict[str, object]:
    said = terminal.type(f"discovery count {' '.join(options)} --json", status=status)
    return msgspec.json.decode(said.stdout) if status == 0 else {"err": said.stderr}


def pid_of(terminal: Terminal, name: str) -> int:
    return next(one.pid for one in states(terminal.folder / "nebula-network") if one.name == name)


def sessions(terminal: Terminal) -> list[Address]:
    network = msgspec.json.decode((terminal.folder / "nebula-network" / "network.json").read_bytes())
    listed = msgspec.json.decode(httpx2.get(f"{network['hub_url']}/v1/discoveries", trust_env=False).content)
    return [one["evidence"]["session"] for one in listed["discoveries"]]


def test_a_discovery_answers_forgets_nobodys_spending_and_loses_who_leaves(terminal: Terminal) -> None:
    """One story, because each step changes what the next one finds. The noise of an answer has deviation 1.4."""
    (listed,) = terminal.ask("discovery list")["discoveries"]
    assert listed["study"] == terminal.told["started"]["study"]

    everyone, again = count(terminal), count(terminal)
    summary = everyone["beacon"]["responseSummary"]  # type: ignore[index]
    assert everyone["beacon"] == again["beacon"]
    assert everyone["beacon"]["meta"]["testMode"] is True  # type: ignore[index]
    assert abs(summary["numTotalResults"] - (PEOPLE - 1)) < 10, "all but the one who is not counted in searches"
    nobody = count(terminal, "--where 'height >= 1000'")
    assert nobody["beacon"]["responseSummary"] == {"exists": False}  # type: ignore[index]

    before = sessions(terminal)
    os.kill(pid_of(terminal, "discovery-host"), signal.SIGKILL)
    wait_until(lambda: sessions(terminal) not in ([], before), seconds=120, what="the next session")
    third = count(terminal)
    assert third["beacon"]["info"]["simulated"] is True  # type: ignore[index]
    spent = count(terminal, "--where 'height <= 1000'", status=3)
    assert "all that one buyer may ask" in str(spent["err"])

    terminal.type("consent withdraw P00002 --vault biobank --yes")
    gone = count(terminal, status=3)
    assert "all that one buyer may ask" in str(gone["err"]), "over other people it is another question"


def test_the_beacon_says_what_it_is(terminal: Terminal) -> None:
    network = msgspec.json.decode((terminal.folder / "nebula-network" / "network.json").read_bytes())
    info = msgspec.json.decode(httpx2.get(f"{network['hub_url']}/api/beacon/info", trust_env=False).content)
    assert info["response"]["environment"] == "test"
    assert info["meta"]["beaconId"] == info["response"]["id"]
    bare = b'{"meta":{"apiVersion":"v2.0.0"},"query":{}}'
    for path in ("individuals", "g_variants"):
        refused = httpx2.post(
            f"{network['hub_url']}/api/beacon/{path}",
            content=bare,
            headers={"content-type": "application/json"},
            trust_env=False,
        )
        assert (refused.status_code, msgspec.json.decode(refused.content)["code"]) == (400, "wire.malformed")
    assert Path(terminal.folder / "nebula-network" / "discovery-host" / "settings.json").exists()
