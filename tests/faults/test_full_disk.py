"""A full disk is told as such, leaves nothing half-written, and costs nothing: with space again it goes on."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faults.acts import make_files
from ledger.ledgers import FAUCET, Ledger, free_port, start_embedded, wait_until_answering, write_genesis
from nebula.ledger.client import LedgerClient
from nebula.ledger.node import check
from nebula.protocol.errors import UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.wire import to_canonical

ACTS = Path(__file__).with_name("acts.py")
PEOPLE = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files to import, in the folder of a network that was never started."""
    made = tmp_path_factory.mktemp("full-disk")
    make_files(made, PEOPLE, 200)
    anybody = "0x" + "01" * 20
    addresses = dict.fromkeys(("organizations", "token", "records", "sessions", "studies", "panels"), anybody)
    network = {
        "addresses": {"chain_id": 1, "deployed_block": 1, **addresses},
        "ledger_url": "http://127.0.0.1:1",
        "hub_url": "http://127.0.0.1:1",
        "hub": anybody,
        "buyer": anybody,
        "keepers": [],
        "hardware_port": 1,
        "measurement": "0x" + "02" * 32,
        "trust_root": "0x" + "03" * 32,
    }
    (made / "network.json").write_bytes(to_canonical(network))
    return made


def act(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ACTS.parent.parent)}
    return subprocess.run(
        [sys.executable, str(ACTS), str(folder), *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("space_bytes", [2_500, 30_000])
def test_an_import_onto_a_full_disk_says_so_and_goes_on_with_space(folder: Path, space_bytes: int) -> None:
    name = f"space-{space_bytes}"
    full = act(folder, "import", name, "POA", "--disk", str(space_bytes))

    assert full.returncode != 0
    last = full.stderr.strip().splitlines()[-1]
    assert "UnavailableError" in last, full.stderr
    assert "disk" in last
    storage = folder / "vaults" / name / "storage"
    assert not list((storage / ".incoming").glob("*"))
    again = act(folder, "import", name, "POA")
    assert again.stdout == f'{{"stored": {PEOPLE}}}', again.stderr


def test_a_ledger_on_a_full_disk_loses_no_transaction_that_it_acknowledged(tmp_path: Path) -> None:
    port = free_port()
    write_genesis(tmp_path / "genesis.json")
    database = tmp_path / "ledger.db"
    command = [sys.executable, "-m", "nebula.ledger.node", "serve", "--database", str(database)]

    def on_a_small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000,) * 2)

    process = subprocess.Popen(
        [*command, "--port", str(port), "--genesis", str(tmp_path / "genesis.json")],
        preexec_fn=on_a_small_disk,  # noqa: PLW1509
    )
    client = LedgerClient(f"http://127.0.0.1:{port}")
    wait_until_answering(client.url, process)
    ledger, receiver, acknowledged = Ledger("embedded", client, lambda _: None), SigningKey.generate().address, 0
    told: UnavailableError | None = None
    while told is None:
        try:
            ledger.transact(FAUCET, None, to=receiver, value_wei=1)
            acknowledged += 1
        except UnavailableError as error:
            told = error
    assert told.message
    process.send_signal(signal.SIGKILL)
    process.wait()

    process = start_embedded(tmp_path, port)
    assert client.balance_wei(receiver) >= acknowledged > 0
    process.terminate()
    assert process.wait(20) == 0
    assert check(database).sound
