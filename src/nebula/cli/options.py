"""Options that many commands share, so that they mean the same everywhere."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

NETWORK = Path("nebula-network")

Folder = Annotated[
    Path, Parameter(name=["--dir"], env_var="NEBULA_DIR", help="The network's folder, as `nebula up` made it.")
]
Json = Annotated[bool, Parameter(name=["--json"], negative="", help="Print one JSON object on standard output.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Agree without being asked, for scripts.")]
Lenient = Annotated[bool, Parameter(name=["--lenient"], negative="")]


@Parameter(name="*")
@dataclass(frozen=True)
class VaultOptions:
    """Which vault, and what opens it."""

    folder: Folder = NETWORK
    vault: Annotated[
        Path | None,
        Parameter(name=["--vault"], env_var="NEBULA_VAULT", help="The vault's folder, if not DIR/vault."),
    ] = None
    pass_phrase_file: Annotated[
        Path | None,
        Parameter(
            name=["--pass-phrase-file"],
            env_var="NEBULA_PASS_PHRASE_FILE",
            help="A file with the pass phrase, for scripts; you are asked for it otherwise.",
        ),
    ] = None

    @property
    def vault_folder(self) -> Path:
        """Where the vault is."""
        return self.vault or self.folder / "vault"

    @property
    def typed(self) -> str:
        """What the next command needs so as to mean the same vault."""
        return _typed(self.folder, "--vault", self.vault)


@Parameter(name="*")
@dataclass(frozen=True)
class BuyerOptions:
    """Which buyer."""

    folder: Folder = NETWORK
    buyer: Annotated[
        Path | None,
        Parameter(name=["--buyer"], env_var="NEBULA_BUYER", help="The buyer's folder, if not DIR/buyer."),
    ] = None

    @property
    def buyer_folder(self) -> Path:
        """Where the buyer's settings, keys and studies are."""
        return self.buyer or self.folder / "buyer"

    @property
    def typed(self) -> str:
        """What the next command needs so as to mean the same buyer."""
        return _typed(self.folder, "--buyer", self.buyer)


def _typed(folder: Path, option: str, own: Path | None) -> str:
    network = "" if folder == NETWORK else f" --dir {shlex.quote(str(folder))}"
    return network if own is None else f"{network} {option} {shlex.quote(str(own))}"


OF_VAULT = VaultOptions()
OF_BUYER = BuyerOptions()
