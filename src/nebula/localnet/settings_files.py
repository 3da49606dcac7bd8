"""Everyone's settings in a network on one machine: who listens where, whom they talk to, what they trust."""

from pathlib import Path

from nebula.buyer.settings import BuyerSettings
from nebula.host.settings import HostSettings, KeeperUrl, SimulatedCpu
from nebula.hub.settings import HubSettings, KeeperAddress
from nebula.keeper.settings import KeeperSettings
from nebula.ledger.client import NetworkAddresses
from nebula.localnet.places import KEEPERS, ports, sealing_file, signing_file, signing_key, write
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.wire import Document, parser
from nebula.vault.settings import KeeperEntry, VaultSettings

THRESHOLD = 2


class LocalNetwork(Document, frozen=True, kw_only=True):
    """What ``network.json`` says: all that is needed to talk to a network."""

    addresses: NetworkAddresses
    ledger_url: str
    hub_url: str
    hub: Address
    buyer: Address
    keepers: tuple[KeeperEntry, ...]
    hardware_port: int
    measurement: Hash32
    trust_root: Hash32

    @property
    def party_urls(self) -> dict[str, str]:
        """Where the parties answer that say who they are, by name."""
        keepers = zip(KEEPERS, (keeper.url for keeper in self.keepers), strict=True)
        return {**dict(keepers), "hub": self.hub_url}


_parse = parser(LocalNetwork)


def load_network(folder: Path) -> LocalNetwork | None:
    """Return the network below a folder, or None where there is none (yet)."""
    try:
        return _parse((folder / "network.json").read_bytes())
    except FileNotFoundError:
        return None


def write_settings(folder: Path, network: LocalNetwork) -> None:
    """Write everyone's settings and, last, ``network.json``: a network is made once that is there."""
    listening = ports(folder)
    for name in KEEPERS:
        write(folder / name / "settings.json", _keeper_settings(folder, name, network, listening[name]))
    write(folder / "hub" / "settings.json", _hub_settings(folder, network, listening["hub"]))
    write(folder / "host" / "settings.json", _host_settings(folder, network))
    write(folder / "buyer" / "settings.json", _buyer_settings(folder, network))
    write(folder / "vault" / "settings.json", _vault_settings(folder, network))
    write(folder / "contracts.json", network.addresses)
    write(folder / "network.json", network)


def _keeper_settings(folder: Path, name: str, network: LocalNetwork, port: int) -> KeeperSettings:
    return KeeperSettings(
        port=port,
        ledger_url=network.ledger_url,
        network=network.addresses,
        hub=network.hub,
        database_url=_sqlite(folder, name),
        signing_key_file=signing_file(folder, name),
        sealing_key_file=sealing_file(folder, name),
        collateral_url=f"http://127.0.0.1:{network.hardware_port}",
        trust_root_files=(str(folder.absolute() / "hardware" / "root.der"),),
        production=False,
        measurements=(network.measurement,),
    )


def _hub_settings(folder: Path, network: LocalNetwork, port: int) -> HubSettings:
    return HubSettings(
        port=port,
        database_url=_sqlite(folder, "hub"),
        workflow_database_url=f"sqlite:///{folder.absolute()}/hub/workflows.sqlite",
        signing_key_file=signing_file(folder, "hub"),
        sealing_key_file=sealing_file(folder, "hub"),
        ledger_url=network.ledger_url,
        network=network.addresses,
        keepers=tuple(KeeperAddress(address=keeper.address, url=keeper.url) for keeper in network.keepers),
        hosts=(signing_key(folder, "host").address,),
        simulated=True,
        panels_url=_below(folder, "panels"),
    )


def _host_settings(folder: Path, network: LocalNetwork) -> HostSettings:
    return HostSettings(
        hub_url=network.hub_url,
        hub_address=network.hub,
        keepers=tuple(KeeperUrl(address=keeper.address, url=keeper.url) for keeper in network.keepers),
        signing_key_file=signing_file(folder, "host"),
        studies_contract=network.addresses.studies,
        sessions_contract=network.addresses.sessions,
        panels_url=_below(folder, "panels"),
        measurement=network.measurement,
        cpu=SimulatedCpu(device=str(folder.absolute() / "hardware" / "device"), threads=1),
        poll_seconds=0.2,
    )


def _buyer_settings(folder: Path, network: LocalNetwork) -> BuyerSettings:
    return BuyerSettings(
        ledger_url=network.ledger_url,
        network=network.addresses,
        hub_url=network.hub_url,
        hub_address=network.hub,
        signing_key_file=signing_file(folder, "buyer"),
        sealing_key_file=sealing_file(folder, "buyer"),
        keepers=tuple(keeper.address for keeper in network.keepers),
        keeper_threshold=THRESHOLD,
        measurement=network.measurement,
        trust_root=network.trust_root,
        panels_url=_below(folder, "panels"),
        public_url=_below(folder, "public"),
    )


def _vault_settings(folder: Path, network: LocalNetwork) -> VaultSettings:
    return VaultSettings(
        chain_id=network.addresses.chain_id,
        ledger_url=network.ledger_url,
        records_contract=network.addresses.records,
        studies_contract=network.addresses.studies,
        token_contract=network.addresses.token,
        panels_contract=network.addresses.panels,
        deployed_block=network.addresses.deployed_block,
        hub_url=network.hub_url,
        hub_address=network.hub,
        keepers=network.keepers,
        threshold=THRESHOLD,
        storage_url=_below(folder, "storage"),
        panels_url=_below(folder, "panels"),
        trust_roots=(network.trust_root,),
        wallet_file=signing_file(folder, "wallet"),
    )


def _sqlite(folder: Path, name: str) -> str:
    return f"sqlite:///{folder.absolute()}/{name}/{name}.sqlite"


def _below(folder: Path, name: str) -> str:
    return (folder.absolute() / name).as_uri()
