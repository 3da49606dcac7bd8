"""Where a vault finds the others. Written once, when the vault joins a network."""

from pathlib import Path
from typing import Annotated

import msgspec

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32, PublicKey
from nebula.protocol.wire import Document, parser


class KeeperEntry(Document, frozen=True, kw_only=True):
    """One keeper: where it answers, who it is by the ledger, and the key to seal to."""

    url: str
    address: Address
    key: PublicKey


class VaultSettings(Document, frozen=True, kw_only=True):
    """A vault's place in a network. The order of the keepers is the order of the shares' indices.

    ``wallet_file``: a key with some ether, for what the owner sends without the hub; relative to the vault's folder.
    """

    chain_id: Annotated[int, msgspec.Meta(ge=1)]
    ledger_url: str
    records_contract: Address
    studies_contract: Address
    token_contract: Address | None = None
    panels_contract: Address | None = None
    deployed_block: Annotated[int, msgspec.Meta(ge=0)] = 0
    hub_url: str
    hub_address: Address
    keepers: Annotated[tuple[KeeperEntry, ...], msgspec.Meta(min_length=2, max_length=32)]
    threshold: Annotated[int, msgspec.Meta(ge=2, le=32)]
    storage_url: str
    panels_url: str | None = None
    trust_roots: tuple[Hash32, ...] = ()
    wallet_file: str | None = None
    database_url: str | None = None


SETTINGS_FILE = "settings.json"
_parse = parser(VaultSettings)


def load_settings(folder: Path) -> VaultSettings:
    """Read a vault's settings from its folder.

    Raises:
        RejectedInputError: ``vault.settings``; the vault has joined no network.
    """
    try:
        return _parse((folder / SETTINGS_FILE).read_bytes())
    except FileNotFoundError as error:
        raise RejectedInputError(
            "vault.settings",
            f"there is no vault in {folder}",
            hint="--dir and --vault name others; `nebula up` makes a network and a place for a first vault, "
            "`nebula vault init --vault FOLDER` a vault",
        ) from error
    except OSError as error:
        raise RejectedInputError(
            "vault.settings",
            f"the vault's settings {folder / SETTINGS_FILE} cannot be read: {error.strerror}",
            hint="its owner can read it; --dir and --vault name another vault",
        ) from error


def database_url(folder: Path, settings: VaultSettings) -> str:
    """Return where the vault's own tables are: a file of its folder unless the settings name another place."""
    return settings.database_url or f"sqlite:///{folder.absolute()}/vault.sqlite"
