"""The hub's settings, read strictly from one JSON file; its keys are files of their own."""

from pathlib import Path
from typing import Annotated

import msgspec

from nebula.ledger.client import NetworkAddresses
from nebula.protocol.ids import Address
from nebula.protocol.wire import Document, parser


class KeeperAddress(Document, frozen=True, kw_only=True):
    """A keeper by the ledger, and where it answers."""

    address: Address
    url: str


class HubSettings(Document, frozen=True, kw_only=True):
    """All that a hub and its operator need to know. ``panels_url``: where the panels are that they publish."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    database_url: str
    workflow_database_url: str
    signing_key_file: str
    sealing_key_file: str
    ledger_url: str
    network: NetworkAddresses
    confirmations: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    keepers: tuple[KeeperAddress, ...]
    hosts: tuple[Address, ...]
    simulated: bool
    panels_url: str | None = None


_parse = parser(HubSettings)


def load_settings(file: Path) -> HubSettings:
    """Read a hub's settings."""
    return _parse(file.read_bytes())
