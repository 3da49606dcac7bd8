"""A demo that is killed in the middle is gone on with by starting it again: one study, one escrow, one result."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nebula.ledger.client import LedgerClient, Network
from nebula.localnet.bookmark import open_bookmark
from nebula.localnet.plot import Plot
from nebula.localnet.setup import open_network
from nebula.localnet.supervisor import running, stop
from nebula.protocol.funding import study_id

PEOPLE = 60
SUPPLY_WEI = 1_000_000 * 10**18
pytestmark = pytest.mark.xdist_group("demo")


def test_a_demo_killed_while_its_run_is_on_ends_with_the_same_study_paid_once(tmp_path: Path) -> None:
    folder = tmp_path / "network"
    command = [sys.executable, "-m", "nebula.cli", "demo", "--people", str(PEOPLE), "--dir", str(folder), "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        assert any("An enclave attests itself" in line for line in first.stderr)
        first.kill()
    assert running(folder) is not None
    interrupted = open_bookmark(folder, Plot(folder=folder, people=PEOPLE).cast).study
    assert interrupted is not None

    second = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)

    assert second.returncode == 0, second.stderr
    told: dict[str, Any] = msgspec.json.decode(second.stdout.strip().splitlines()[-1])
    assert told["study"] == study_id(interrupted)
    assert told["records_used"] == PEOPLE - told["records_refused"] - told["records_withdrawn"]
    assert told["audit"]["failed"] == 0
    assert running(folder) is None
    assert _buyers_balance_wei(folder) == SUPPLY_WEI - told["owners_wei"] - told["fees_wei"]


def _buyers_balance_wei(folder: Path) -> int:
    network = open_network(folder)
    try:
        ledger = Network(LedgerClient(network.ledger_url), network.addresses)
        return ledger.token.balance_wei(network.buyer)
    finally:
        stop(folder)
