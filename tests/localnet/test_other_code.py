"""A network that was made by another version of the program takes this version's enclave code over."""

from pathlib import Path

import msgspec
import pytest

from ledger.ledgers import Market, embedded, make_market
from nebula.attestation.simulator.bundle import measure_installed_bundle
from nebula.buyer.settings import load_settings as load_buyer
from nebula.host.settings import load_settings as load_host
from nebula.keeper.settings import parse_settings as parse_keeper
from nebula.ledger.client.events import Event
from nebula.ledger.client.sessions import EVENTS, Approval, MeasurementApproved
from nebula.localnet import setup
from nebula.localnet.discovery import add_discovery_host, settings_file
from nebula.localnet.places import KEEPERS, ports, prepare, sealing_key, signing_key
from nebula.localnet.settings_files import LocalNetwork, load_network, write_settings
from nebula.localnet.setup import open_network
from nebula.transport.keyfiles import save_key
from nebula.vault.settings import KeeperEntry

OLD_CODE, ROOT = "0x" + "22" * 32, "0x" + "33" * 32


def approvals(market: Market) -> list[Event]:
    """Every approval of code that stands on a ledger."""
    client, sessions = market.ledger.client, market.network.addresses.sessions
    logs = client.logs([sessions], first=0, last=client.head().number, topics=[EVENTS.topics])
    found = [item.event for item in map(EVENTS.decode, logs) if item is not None]
    return [event for event in found if isinstance(event, MeasurementApproved)]


def test_everyone_trusts_the_installed_code_and_the_governor_approves_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(setup, "begin", lambda folder: started.append(load_network(folder).measurement))  # type: ignore[union-attr]
    monkeypatch.setattr(setup, "wait_for", lambda _folder, _parties: None)
    folder = tmp_path / "net"
    with embedded(tmp_path) as ledger:
        market = make_market(ledger)
        save_key(folder / "keys" / "governor.signing", market.governor.secret)
        prepare(folder)
        keepers = [
            KeeperEntry(
                url=f"http://127.0.0.1:{ports(folder)[name]}",
                address=signing_key(folder, name).address,
                key=sealing_key(folder, name).public_key,
            )
            for name in KEEPERS
        ]
        old = LocalNetwork(
            addresses=market.network.addresses,
            ledger_url=ledger.client.url,
            hub_url="http://127.0.0.1:1",
            hub=signing_key(folder, "hub").address,
            buyer=signing_key(folder, "buyer").address,
            keepers=tuple(keepers),
            hardware_port=1,
            measurement=OLD_CODE,
            trust_root=ROOT,
        )
        write_settings(folder, old)
        add_discovery_host(folder)

        for _ in range(2):
            opened = open_network(folder)

            installed = measure_installed_bundle()
            assert opened == load_network(folder) == msgspec.structs.replace(old, measurement=installed)
            for name in KEEPERS:
                assert parse_keeper((folder / name / "settings.json").read_bytes()).measurements == (installed,)
            for host in (folder / "host" / "settings.json", settings_file(folder)):
                assert load_host(host).measurement == installed
            assert load_buyer(folder / "buyer" / "settings.json").measurement == installed
            assert market.network.sessions.approval(installed, ROOT) is Approval.SIMULATED
        assert approvals(market) == [MeasurementApproved(installed, ROOT, simulated=True)]
    assert started == [installed, installed]
