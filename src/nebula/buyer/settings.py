"""A buyer's place in a network."""

from pathlib import Path

from nebula.ledger.client import NetworkAddresses
from nebula.protocol.ids import Address
from nebula.protocol.wire import Document, parser


class BuyerSettings(Document, frozen=True, kw_only=True):
    """Where a buyer finds the ledger and the hub. File names are relative to the folder of the settings."""

    ledger_url: str
    network: NetworkAddresses
    hub_url: str
    hub_address: Address
    signing_key_file: str
    sealing_key_file: str


_parse = parser(BuyerSettings)


def load_settings(file: Path) -> BuyerSettings:
    """Read a buyer's settings."""
    return _parse(file.read_bytes())
