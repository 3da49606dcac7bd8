"""A buyer's place in a network."""

from pathlib import Path
from typing import Annotated

import msgspec

from nebula.ledger.client import NetworkAddresses
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.wire import Document, parser


class BuyerSettings(Document, frozen=True, kw_only=True):
    """Where a buyer finds the ledger and the hub. File names are relative to the folder of the settings.

    The keepers, the worker's measurement and the trust root are those that a study names unless it says otherwise.
    ``public_url``: a storage that the buyer writes and everyone may read, for scores that a study's terms cannot hold.
    """

    ledger_url: str
    network: NetworkAddresses
    hub_url: str
    hub_address: Address
    signing_key_file: str
    sealing_key_file: str
    keepers: Annotated[tuple[Address, ...], msgspec.Meta(max_length=32)] = ()
    keeper_threshold: Annotated[int, msgspec.Meta(ge=1, le=32)] = 2
    measurement: Hash32 | None = None
    trust_root: Hash32 | None = None
    panels_url: str | None = None
    public_url: str | None = None


_parse = parser(BuyerSettings)


def load_settings(file: Path) -> BuyerSettings:
    """Read a buyer's settings.

    Raises:
        RejectedInputError: ``buyer.settings``; there are none, or they are wrong.
    """
    try:
        return _parse(file.read_bytes())
    except OSError as error:
        raise RejectedInputError(
            "buyer.settings",
            f"the buyer's settings {file} cannot be read: {error.strerror}",
            hint="`nebula up` makes a network with a buyer in it; --dir names another",
        ) from error
