"""Make a network below one folder: keys, ledger, contracts, organisations, everyone's settings.

Every step looks first whether it was done, and ``network.json`` is written last: a setup that was interrupted
is gone on with by doing it again.
"""

import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import MetaData

from nebula.attestation.simulator.__main__ import open_hardware
from nebula.attestation.simulator.bundle import measure_installed_bundle
from nebula.buyer.settings import BuyerSettings
from nebula.database import open_database
from nebula.host.settings import HostSettings, KeeperUrl, SimulatedCpu
from nebula.hub.settings import HubSettings, KeeperAddress
from nebula.keeper.settings import KeeperSettings
from nebula.ledger.client import ContractCall, LedgerClient, Network, NetworkAddresses, deploy_network
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.sessions import Approval
from nebula.ledger.node import Genesis
from nebula.ledger.relay import Relay, outbox_table
from nebula.localnet.supervisor import stop_all, wait_until
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.keys import SigningKey
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.sealing import SealingKey
from nebula.protocol.wire import Document, parser, to_canonical
from nebula.transport.keyfiles import load_key, save_key
from nebula.vault.settings import KeeperEntry, VaultSettings

KEEPERS = 3
THRESHOLD = 2
ETHER_WEI = 10**18
BUYER_TOKENS_WEI = 1_000_000 * TOKEN_WEI
YEARS = 5
_LEDGER_SECONDS = 30
_SIGNERS = ("deployer", "governor", "desk", "hub", "host", "buyer", *(f"keeper-{n}" for n in range(1, KEEPERS + 1)))

_governance = MetaData()
_outbox = outbox_table(_governance)


class LocalNetwork(Document, frozen=True, kw_only=True):
    """What ``network.json`` says: all that is needed to start the processes and to talk to them."""

    addresses: NetworkAddresses
    ledger_url: str
    hub_url: str
    hub: Address
    buyer: Address
    keepers: tuple[KeeperEntry, ...]
    hardware_port: int
    measurement: Hash32
    trust_root: Hash32


_parse = parser(LocalNetwork)


def load_network(folder: Path) -> LocalNetwork | None:
    """Return the network below a folder, or None where there is none (yet)."""
    try:
        return _parse((folder / "network.json").read_bytes())
    except FileNotFoundError:
        return None


def make_network(folder: Path, *, tell: Callable[[str], None] = lambda _what: None) -> LocalNetwork:
    """Make a network, or go on making it, and return it.

    Raises:
        UnavailableError: the ledger does not start.
    """
    found = load_network(folder)
    if found is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = {name: _signing_key(folder, name) for name in _SIGNERS}
    ports = _ports(folder)
    ledger_url = f"http://127.0.0.1:{ports['ledger']}"
    _write(folder / "genesis.json", _genesis(keys.values()))
    tell("starting the ledger")
    ledger = _start_ledger(folder, ports["ledger"])
    try:
        client = LedgerClient(ledger_url)
        wait_until(lambda: _answers(client), seconds=_LEDGER_SECONDS, what="the ledger")
        tell("deploying the contracts")
        addresses = deploy_network(
            client, keys["deployer"].secret, keeper_threshold=THRESHOLD, governor=keys["governor"].address
        )
        pki = open_hardware(folder / "hardware", at=datetime.now(UTC))
        network = LocalNetwork(
            addresses=addresses,
            ledger_url=ledger_url,
            hub_url=f"http://127.0.0.1:{ports['hub']}",
            hub=keys["hub"].address,
            buyer=keys["buyer"].address,
            keepers=tuple(
                KeeperEntry(
                    url=f"http://127.0.0.1:{ports[name]}",
                    address=keys[name].address,
                    key=_sealing_key(folder, name).public_key,
                )
                for name in _keeper_names()
            ),
            hardware_port=ports["hardware"],
            measurement=measure_installed_bundle(),
            trust_root=pki.trust_root.fingerprint,
        )
        tell("registering the organisations")
        _govern(folder, Network(client, addresses), network, keys)
    finally:
        stop_all([ledger])
    _write_settings(folder, network, ports)
    _write(folder / "contracts.json", network.addresses)
    _write(folder / "network.json", network)
    return network


def _govern(folder: Path, ledger: Network, network: LocalNetwork, keys: dict[str, SigningKey]) -> None:
    """Register everyone, approve the worker's code, and give the buyer tokens against a recorded payment."""
    until = int((datetime.now(UTC) + timedelta(days=365 * YEARS)).timestamp())
    roles = {
        "buyer": (Role.BUYER | Role.ACCREDITED, "Demo Institute of Genetics"),
        "hub": (Role.OPERATOR, "Demo Hub"),
        "desk": (Role.DESK, "Demo Desk"),
        **{name: (Role.KEEPER, f"Demo Keeper {name[-1]}") for name in _keeper_names()},
    }
    calls: list[tuple[str, ContractCall]] = []
    for name, (role, legal_name) in roles.items():
        address = keys[name].address
        if not ledger.organizations.in_good_standing(address, role):
            call = ledger.organizations.register(address, role, standing_until=until, legal_name=legal_name)
            calls += [(f"register-{name}", call), (f"seat-{name}", ledger.organizations.seat(address, "CH"))]
    if ledger.sessions.approval(network.measurement, network.trust_root) is not Approval.SIMULATED:
        approve = ledger.sessions.approve_measurement(network.measurement, network.trust_root, simulated=True)
        calls.append(("approve", approve))
    _send(folder, ledger, keys["governor"], calls)
    payment: Hash32 = "0x" + "00" * 31 + "01"
    if not ledger.token.minted_against(payment):
        mint = ledger.token.mint(keys["buyer"].address, BUYER_TOKENS_WEI, payment)
        _send(folder, ledger, keys["desk"], [("mint", mint)])


def _send(folder: Path, ledger: Network, key: SigningKey, calls: Sequence[tuple[str, ContractCall]]) -> None:
    engine = open_database(f"sqlite:///{folder.absolute()}/governance.sqlite", _governance, party="governance")
    relay = Relay(engine, _outbox, ledger.client, key.secret, chain_id=ledger.addresses.chain_id)
    for name, call in calls:
        if relay.outcome(name) is None:
            relay.submit(name, call)
    for name, _ in calls:
        relay.wait(name)
    engine.dispose()


def _write_settings(folder: Path, network: LocalNetwork, ports: dict[str, int]) -> None:
    for name in _keeper_names():
        _write(folder / name / "settings.json", _keeper_settings(folder, name, network, ports[name]))
    _write(
        folder / "hub" / "settings.json",
        HubSettings(
            port=ports["hub"],
            database_url=_sqlite(folder, "hub"),
            workflow_database_url=f"sqlite:///{folder.absolute()}/hub/workflows.sqlite",
            signing_key_file=str(folder.absolute() / "keys" / "hub.signing"),
            sealing_key_file=_sealing_file(folder, "hub"),
            ledger_url=network.ledger_url,
            network=network.addresses,
            keepers=tuple(KeeperAddress(address=keeper.address, url=keeper.url) for keeper in network.keepers),
            hosts=(_signing_key(folder, "host").address,),
            simulated=True,
        ),
    )
    _write(
        folder / "host" / "settings.json",
        HostSettings(
            hub_url=network.hub_url,
            hub_address=network.hub,
            keepers=tuple(KeeperUrl(address=keeper.address, url=keeper.url) for keeper in network.keepers),
            signing_key_file=str(folder.absolute() / "keys" / "host.signing"),
            studies_contract=network.addresses.studies,
            sessions_contract=network.addresses.sessions,
            panels_url=(folder.absolute() / "panels").as_uri(),
            measurement=network.measurement,
            cpu=SimulatedCpu(device=str(folder.absolute() / "hardware" / "device")),
            poll_seconds=0.2,
        ),
    )
    _write(
        folder / "buyer" / "settings.json",
        BuyerSettings(
            ledger_url=network.ledger_url,
            network=network.addresses,
            hub_url=network.hub_url,
            hub_address=network.hub,
            signing_key_file=str(folder.absolute() / "keys" / "buyer.signing"),
            sealing_key_file=_sealing_file(folder, "buyer"),
        ),
    )
    _write(
        folder / "vault" / "settings.json",
        VaultSettings(
            chain_id=network.addresses.chain_id,
            ledger_url=network.ledger_url,
            records_contract=network.addresses.records,
            studies_contract=network.addresses.studies,
            hub_url=network.hub_url,
            hub_address=network.hub,
            keepers=network.keepers,
            threshold=THRESHOLD,
            storage_url=(folder.absolute() / "storage").as_uri(),
        ),
    )


def _keeper_settings(folder: Path, name: str, network: LocalNetwork, port: int) -> KeeperSettings:
    return KeeperSettings(
        port=port,
        ledger_url=network.ledger_url,
        network=network.addresses,
        hub=network.hub,
        database_url=_sqlite(folder, name),
        signing_key_file=str(folder.absolute() / "keys" / f"{name}.signing"),
        sealing_key_file=_sealing_file(folder, name),
        collateral_url=f"http://127.0.0.1:{network.hardware_port}",
        trust_root_files=(str(folder.absolute() / "hardware" / "root.der"),),
        production=False,
        measurements=(network.measurement,),
    )


def _keeper_names() -> tuple[str, ...]:
    return tuple(f"keeper-{number}" for number in range(1, KEEPERS + 1))


def _signing_key(folder: Path, name: str) -> SigningKey:
    path = folder / "keys" / f"{name}.signing"
    if not path.exists():
        save_key(path, SigningKey.generate().secret)
    return SigningKey.from_secret(load_key(path))


def _sealing_key(folder: Path, name: str) -> SealingKey:
    return SealingKey.from_secret(load_key(Path(_sealing_file(folder, name))))


def _sealing_file(folder: Path, name: str) -> str:
    path = folder.absolute() / "keys" / f"{name}.sealing"
    if not path.exists():
        save_key(path, SealingKey.generate().secret)
    return str(path)


def _sqlite(folder: Path, name: str) -> str:
    return f"sqlite:///{folder.absolute()}/{name}/{name}.sqlite"


def _genesis(keys: Iterable[SigningKey]) -> Genesis:
    balances = {key.address: str(1_000_000 * ETHER_WEI) for key in keys}
    return Genesis(balances=balances)


def _ports(folder: Path) -> dict[str, int]:
    """Free ports, chosen once and kept: a restarted network answers where it did."""
    path = folder / "ports.json"
    if not path.exists():
        names = ("ledger", "hub", "hardware", *_keeper_names())
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in names]
        ports = {name: int(probe.getsockname()[1]) for name, probe in zip(names, probes, strict=True)}
        for probe in probes:
            probe.close()
        _write(path, ports)
    return msgspec.json.decode(path.read_bytes(), type=dict[str, int])


def _start_ledger(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "nebula.ledger.node", "serve", "--database", str(folder / "ledger.sqlite")]
    (folder / "logs").mkdir(exist_ok=True)
    with (folder / "logs" / "setup.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            [*command, "--port", str(port), "--genesis", str(folder / "genesis.json")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _answers(client: LedgerClient) -> bool:
    try:
        client.chain_id()
    except UnavailableError:
        return False
    return True


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_bytes(to_canonical(document))
    temporary.replace(path)
