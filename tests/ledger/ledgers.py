"""Ledgers for the tests: the embedded node and anvil, both as real processes, behind one interface."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from nebula.ledger.client import ContractCall, LedgerClient, RevertedError, TransactionReceipt
from nebula.ledger.client.deployment import Network, deploy_network
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.reverts import revert_reason
from nebula.ledger.client.wallet import Fees, Wallet
from nebula.ledger.node import DEFAULT_CHAIN_ID
from nebula.protocol.errors import NebulaError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.secrets import SecretBytes

FAUCET = SecretBytes(b"\x01" * 32)
ETHER = 10**18
ANVIL = Path(__file__).resolve().parent.parent / "tools" / "anvil.sh"
ANVIL_MEMORY_BYTES = 4 * 2**30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_answering(url: str, process: subprocess.Popen[bytes]) -> None:
    client = LedgerClient(url, sleep=lambda _: None)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the ledger ended before it answered"
        with contextlib.suppress(UnavailableError):
            client.chain_id()
            client.close()
            return
        time.sleep(0.05)
    pytest.fail("the ledger does not answer")


def write_genesis(path: Path) -> Path:
    path.write_bytes(msgspec.json.encode({"balances": {Wallet(FAUCET).address: str(10**9 * ETHER)}}))
    return path


def start_embedded(folder: Path, port: int) -> subprocess.Popen[bytes]:
    genesis = folder / "genesis.json"
    if not genesis.exists():
        write_genesis(genesis)
    command = [sys.executable, "-m", "nebula.ledger.node", "serve", "--database", str(folder / "ledger.db")]
    process = subprocess.Popen([*command, "--port", str(port), "--genesis", str(genesis)])
    wait_until_answering(f"http://127.0.0.1:{port}", process)
    return process


@dataclass
class Ledger:
    """One running ledger with a rich faucet. ``tick`` makes a block where blocks are not made by themselves."""

    kind: str
    client: LedgerClient
    tick: Callable[[float], None]
    faucet: Wallet = field(default_factory=lambda: Wallet(FAUCET))

    def transact(self, secret: SecretBytes, call: ContractCall | None, **raw: object) -> TransactionReceipt:
        """Send one transaction and return its receipt; raises RevertedError with the reason."""
        wallet = Wallet(secret)
        to, data, gas = (call.to, call.input, call.gas) if call else (raw["to"], b"", 21_000)
        signed = wallet.sign(
            to,  # type: ignore[arg-type]
            data,
            chain_id=DEFAULT_CHAIN_ID,
            nonce=self.client.nonce(wallet.address),
            gas=gas,
            fees=Fees.over(self.client.head().base_fee_wei, self.client.tip_wei()),
            value_wei=int(raw.get("value_wei", 0)),  # type: ignore[call-overload]
        )
        (outcome,) = self.client.send([signed.raw])
        if isinstance(outcome, NebulaError):
            raise outcome
        self.tick(0)
        receipt = self.client.receipt(signed.hash)
        assert receipt is not None
        if not receipt.succeeded:
            raise RevertedError(revert_reason(receipt.revert_data or b"") or "reverted")
        return receipt

    def fresh_key(self, ether: int = 10) -> SigningKey:
        key = SigningKey.generate()
        if ether:
            self.transact(FAUCET, None, to=key.address, value_wei=ether * ETHER)
        return key


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Ledger]:
    port = free_port()
    process = start_embedded(folder, port)
    client = LedgerClient(f"http://127.0.0.1:{port}")
    try:
        yield Ledger("embedded", client, lambda _: None)
    finally:
        client.close()
        process.terminate()
        assert process.wait(20) == 0


def anvil_program() -> str:
    if shutil.which("npm") is None and "NEBULA_TOOL_CACHE" not in os.environ:
        pytest.skip("npm is missing, so anvil cannot be installed")
    found = subprocess.run(["sh", str(ANVIL)], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"anvil could not be installed: {found.stderr.strip()[-200:]}")
    return found.stdout.strip()


@contextlib.contextmanager
def anvil() -> Iterator[Ledger]:
    port = free_port()
    command = [anvil_program(), "--port", str(port), "--chain-id", str(DEFAULT_CHAIN_ID), "--accounts", "0"]
    # Blocks are made on demand: anvil's automine lives on bursts until the memory is gone.
    limited = ["prlimit", f"--rss={ANVIL_MEMORY_BYTES}"] if shutil.which("prlimit") else []
    process = subprocess.Popen([*limited, *command, "--no-mining", "--silent", "--hardfork", "prague"])
    client = LedgerClient(f"http://127.0.0.1:{port}")
    try:
        wait_until_answering(client.url, process)
        client.request("anvil_setBalance", Wallet(FAUCET).address, hex(10**9 * ETHER))
        yield Ledger("anvil", client, lambda _: client.request("evm_mine"))
    finally:
        client.close()
        process.terminate()
        process.wait(20)


@dataclass
class Market:
    """A deployed network with one verified organization per role, and tokens for the buyer."""

    ledger: Ledger
    network: Network
    governor: SigningKey
    buyer: SigningKey
    operator: SigningKey
    desk: SigningKey
    keepers: list[SigningKey]


FOREVER = 2**40


def make_market(ledger: Ledger) -> Market:
    governor, buyer, desk, operator = (ledger.fresh_key() for _ in range(4))
    keepers = [SigningKey.generate() for _ in range(3)]
    addresses = deploy_network(ledger.client, governor.secret, keeper_threshold=2, sleep=ledger.tick)
    network = Network(ledger.client, addresses)
    parties = [(buyer, Role.BUYER), (operator, Role.OPERATOR), (desk, Role.DESK), *((k, Role.KEEPER) for k in keepers)]
    for key, role in parties:
        entered = network.organizations.register(
            key.address, role, standing_until=FOREVER, legal_name=f"{role.name} Ltd"
        )
        ledger.transact(governor.secret, entered)
    ledger.transact(desk.secret, network.token.mint(buyer.address, 10_000 * TOKEN_WEI, "0x" + "42" * 32))
    return Market(ledger, network, governor, buyer, operator, desk, keepers)
