"""Make a network below one folder: contracts, organisations, everyone's settings.

Every step looks first whether it was done, and ``network.json`` is written last: a setup that was interrupted
is gone on with by doing it again.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import MetaData

from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.bundle import measure_installed_bundle
from nebula.database import open_database
from nebula.ledger.client import ContractCall, LedgerClient, Network, deploy_network
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.sessions import Approval
from nebula.ledger.relay import Relay, outbox_table
from nebula.localnet.discovery import renew_discovery_host
from nebula.localnet.places import KEEPERS, ports, sealing_key, signing_key
from nebula.localnet.processes import START_SECONDS, begin, wait_for
from nebula.localnet.settings_files import THRESHOLD, LocalNetwork, load_network, write_settings
from nebula.localnet.supervisor import stop, wait_until
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Hash32
from nebula.protocol.keys import SigningKey
from nebula.protocol.money import TOKEN_WEI
from nebula.vault.settings import KeeperEntry

BUYER_TOKENS_WEI = 1_000_000 * TOKEN_WEI
FIRST_PAYMENT = "0x" + "00" * 31 + "01"
YEARS = 5

_governance = MetaData()
_outbox = outbox_table(_governance)


def open_network(folder: Path, *, tell: Callable[[str], None] = lambda _what: None) -> LocalNetwork:
    """Start a folder's network, made or still to be made, and return it once every party answers.

    Raises:
        UnavailableError: a process does not answer in time; its log says why.
    """
    network = load_network(folder)
    installed = measure_installed_bundle()
    if network is not None and network.measurement != installed:
        tell("taking over the enclave code of this version of the program")
        network = _take_over_code(folder, network, installed)
    begin(folder)
    network = network or make_network(folder, installed, tell=tell)
    tell("starting the keepers, the hub and the enclave's host")
    wait_for(folder, network.party_urls)
    _approve_code(folder, Network(LedgerClient(network.ledger_url), network.addresses), network)
    return network


def _take_over_code(folder: Path, network: LocalNetwork, installed: Hash32) -> LocalNetwork:
    """Write settings that name the installed code: the worker that this machine starts is no other any more."""
    stop(folder)
    network = msgspec.structs.replace(network, measurement=installed)
    write_settings(folder, network)
    renew_discovery_host(folder)
    return network


def make_network(
    folder: Path, measurement: Hash32, *, tell: Callable[[str], None] = lambda _what: None
) -> LocalNetwork:
    """Make a begun folder's network for enclave code of one measurement; its parties start once this has returned.

    Raises:
        UnavailableError: the ledger or the hardware does not answer in time.
    """
    listening = ports(folder)
    client = LedgerClient(_url(listening["ledger"]))
    tell("starting the ledger")
    wait_until(lambda: _answers(client), seconds=START_SECONDS, what="the ledger")
    tell("deploying the contracts")
    addresses = deploy_network(
        client,
        signing_key(folder, "deployer").secret,
        keeper_threshold=THRESHOLD,
        governor=signing_key(folder, "governor").address,
    )
    network = LocalNetwork(
        addresses=addresses,
        ledger_url=client.url,
        hub_url=_url(listening["hub"]),
        hub=signing_key(folder, "hub").address,
        buyer=signing_key(folder, "buyer").address,
        keepers=tuple(
            KeeperEntry(
                url=_url(listening[name]),
                address=signing_key(folder, name).address,
                key=sealing_key(folder, name).public_key,
            )
            for name in KEEPERS
        ),
        hardware_port=listening["hardware"],
        measurement=measurement,
        trust_root=hardware_root(folder).fingerprint,
    )
    tell("registering the organisations")
    _govern(folder, Network(client, addresses), network)
    write_settings(folder, network)
    return network


def hardware_root(folder: Path) -> TrustRoot:
    """Return the trust root of a network's simulated hardware, once the hardware is there.

    Raises:
        UnavailableError: it does not start.
    """
    root = folder / "hardware" / "root.der"
    wait_until(root.exists, seconds=START_SECONDS, what="the simulated hardware")
    return TrustRoot(root.read_bytes())


def _govern(folder: Path, ledger: Network, network: LocalNetwork) -> None:
    """Register everyone, approve the worker's code, and give the buyer tokens against a recorded payment."""
    until = int((datetime.now(UTC) + timedelta(days=365 * YEARS)).timestamp())
    roles = {
        "buyer": (Role.BUYER | Role.ACCREDITED, "Demo Institute of Genetics"),
        "hub": (Role.OPERATOR, "Demo Hub"),
        "desk": (Role.DESK, "Demo Desk"),
        **{name: (Role.KEEPER, f"Demo Keeper {name[-1]}") for name in KEEPERS},
    }
    calls: list[tuple[str, ContractCall]] = []
    for name, (role, legal_name) in roles.items():
        address = signing_key(folder, name).address
        if not ledger.organizations.in_good_standing(address, role):
            call = ledger.organizations.register(address, role, standing_until=until, legal_name=legal_name)
            calls += [(f"register-{name}", call), (f"seat-{name}", ledger.organizations.seat(address, "CH"))]
    _send(folder, ledger, signing_key(folder, "governor"), calls)
    _approve_code(folder, ledger, network)
    if not ledger.token.minted_against(FIRST_PAYMENT):
        mint = ledger.token.mint(network.buyer, BUYER_TOKENS_WEI, FIRST_PAYMENT)
        _send(folder, ledger, signing_key(folder, "desk"), [("mint", mint)])


def _approve_code(folder: Path, ledger: Network, network: LocalNetwork) -> None:
    """Have the governor approve the worker's code, unless it is approved. What was approved before stays so."""
    if ledger.sessions.approval(network.measurement, network.trust_root) is not Approval.SIMULATED:
        approve = ledger.sessions.approve_measurement(network.measurement, network.trust_root, simulated=True)
        _send(folder, ledger, signing_key(folder, "governor"), [(f"approve-{network.measurement}", approve)])


def _send(folder: Path, ledger: Network, key: SigningKey, calls: Sequence[tuple[str, ContractCall]]) -> None:
    engine = open_database(f"sqlite:///{folder.absolute()}/governance.sqlite", _governance, party="governance")
    relay = Relay(engine, _outbox, ledger.client, key.secret, chain_id=ledger.addresses.chain_id)
    for name, call in calls:
        if relay.outcome(name) is None:
            relay.submit(name, call)
    for name, _ in calls:
        relay.wait(name)
    engine.dispose()


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _answers(client: LedgerClient) -> bool:
    try:
        client.chain_id()
    except UnavailableError:
        return False
    return True
