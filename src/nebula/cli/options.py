"""Options that many commands share, so that they mean the same everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

NETWORK = Path("nebula-network")

Json = Annotated[bool, Parameter(name=["--json"], negative="", help="Print one JSON object on standard output.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Agree without being asked, for scripts.")]


@Parameter(name="*")
@dataclass(frozen=True)
class NetworkOptions:
    """Which network on this machine."""

    folder: Annotated[
        Path,
        Parameter(name=["--dir"], env_var="NEBULA_DIR", help="The network's folder; all of its state is below it."),
    ] = NETWORK

    @property
    def said(self) -> Mapping[str, Path]:
        """The options, and their values, that the next command needs so as to mean the same place."""
        return {} if self.folder == NETWORK else {"--dir": self.folder}


@Parameter(name="*")
@dataclass(frozen=True)
class VaultOptions(NetworkOptions):
    """Which vault, and what opens it."""

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
    def said(self) -> Mapping[str, Path]:
        """As for a network, and the vault if it was named."""
        return {**super().said, **({} if self.vault is None else {"--vault": self.vault})}


@Parameter(name="*")
@dataclass(frozen=True)
class BuyerOptions(NetworkOptions):
    """Which buyer."""

    buyer: Annotated[
        Path | None,
        Parameter(name=["--buyer"], env_var="NEBULA_BUYER", help="The buyer's folder, if not DIR/buyer."),
    ] = None

    @property
    def buyer_folder(self) -> Path:
        """Where the buyer's settings, keys and studies are."""
        return self.buyer or self.folder / "buyer"

    @property
    def said(self) -> Mapping[str, Path]:
        """As for a network, and the buyer if one was named."""
        return {**super().said, **({} if self.buyer is None else {"--buyer": self.buyer})}


@Parameter(name="*")
@dataclass(frozen=True)
class ImportOptions:
    """What ``record import`` and ``custodian import`` have in common."""

    phenotypes: Annotated[
        Path | None, Parameter(help="A tab-separated table with a line for each person; one column names them.")
    ] = None
    phenotype: Annotated[
        tuple[str, ...] | None,
        Parameter(
            help="A column of that table to take; may be given several times. By default all that can be phenotypes "
            "and do not say who somebody is."
        ),
    ] = None
    panel: Annotated[
        str | None, Parameter(help="The panel's name, NAME@VERSION or id; needed where the network has several.")
    ] = None
    policy: Annotated[
        Path | None, Parameter(help="A file (TOML or JSON) with what the first consent says differently.")
    ] = None
    reference: Annotated[
        Path | None,
        Parameter(
            help="The reference genome (FASTA) of the panel's assembly, to check REF alleles and left-align with."
        ),
    ] = None
    chain: Annotated[
        Path | None, Parameter(help="A UCSC chain file, which carries a file on another assembly to the panel's.")
    ] = None
    lenient: Annotated[
        bool,
        Parameter(
            negative="", help="Read a file that breaks rules as far as it leaves no doubt, and say what was left out."
        ),
    ] = False
    dry_run: Annotated[
        bool, Parameter(negative="", help="Show what would be stored, and who would get it; store nothing.")
    ] = False
    yes: Yes = False


OF_IMPORT = ImportOptions()
OF_NETWORK = NetworkOptions()
OF_VAULT = VaultOptions()
OF_BUYER = BuyerOptions()
