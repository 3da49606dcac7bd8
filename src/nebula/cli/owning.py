"""What every command of a vault's owner opens first."""

from nebula.cli import asking
from nebula.cli.options import VaultOptions
from nebula.vault.opening import OpenVault, find_vault


def open_own(at: VaultOptions) -> OpenVault:
    """Find the vault, ask for its pass phrase, and open it: in this order, so that nobody types one for nothing."""
    locked = find_vault(at.vault_folder)
    return locked.open(asking.pass_phrase(at.pass_phrase_file))
