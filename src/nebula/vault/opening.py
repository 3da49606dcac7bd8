"""Open a vault: its settings, its keys, its tables, its storage, and the network it has joined."""

from dataclasses import dataclass
from pathlib import Path

from nebula.database import open_database
from nebula.files import replace_file
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import to_canonical
from nebula.storage import open_storage
from nebula.vault import tables
from nebula.vault.enrol import Network
from nebula.vault.import_ import Vault
from nebula.vault.joining import join
from nebula.vault.seed import SeedFile, open_seed, read_seed
from nebula.vault.settings import SETTINGS_FILE, VaultSettings, database_url, load_settings


@dataclass(frozen=True, slots=True)
class OpenVault:
    """A vault with its keys in memory, and the others as it reaches them."""

    folder: Path
    settings: VaultSettings
    vault: Vault
    network: Network


@dataclass(frozen=True, slots=True)
class LockedVault:
    """A vault that is there, before its pass phrase is known."""

    folder: Path
    settings: VaultSettings
    seed: SeedFile

    def open(self, pass_phrase: SecretBytes) -> OpenVault:
        """Open it.

        Raises:
            NotPermittedError: the pass phrase is another one.
            UnavailableError: its database cannot be opened.
        """
        owner = open_seed(self.seed, pass_phrase)
        engine = open_database(database_url(self.folder, self.settings), tables.metadata, party="vault")
        vault = Vault(engine, owner, open_storage(self.settings.storage_url))
        return OpenVault(self.folder, self.settings, vault, join(self.settings))


def find_vault(folder: Path) -> LockedVault:
    """Return the vault in a folder; nobody is to be asked for the pass phrase of one that is not there.

    Raises:
        RejectedInputError: there is none in the folder, or it has joined no network.
    """
    return LockedVault(folder, load_settings(folder), read_seed(folder))


def join_like(folder: Path, other: Path) -> VaultSettings:
    """Have a new vault join the network that another one has joined, and return its settings."""
    if not (folder / SETTINGS_FILE).exists():
        settings = load_settings(other)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(folder / SETTINGS_FILE, to_canonical(settings))
    return load_settings(folder)
