"""``nebula panel build|publish|list``: the sites on which genotypes are compared."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from nebula.cli.console import err, out, print_json, reading, short, show_table
from nebula.cli.hints import tell
from nebula.cli.options import OF_NETWORK, OF_VAULT, Json, NetworkOptions, VaultOptions
from nebula.genome.panel import Panel
from nebula.hub.operator import publish as publish_panel
from nebula.hub.settings import HubSettings
from nebula.hub.settings import load_settings as load_hub_settings
from nebula.ledger.client import LedgerClient, Panels
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.storage.panels import PanelShelf, called
from nebula.vault.reading import read_panel
from nebula.vault.settings import VaultSettings, load_settings

panel = App(name="panel", help="Panels: the lists of sites on which genotypes are stored and compared.")

_NO_PLACE = "the settings do not say where panels are"
_WORDS = {True: "yes", False: "no", None: "unknown"}


@panel.command
def build(
    sites: Path,
    *,
    name: str,
    version: str = "1",
    assembly: str | None = None,
    reference: Path | None = None,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Make a panel of every site of a file, and put it where everyone of this network finds it.

    Studies run on it once the operator has published it: `nebula panel publish NAME`.

    Args:
        sites: a list with the columns chrom, pos, ref and alt between tabs; a VCF; or the .bed or .pgen of a PLINK
            file set. Plain or compressed; genotypes are not used.
        name: what people will call the panel.
        version: another version is another panel.
        assembly: of the file, where it does not say it: GRCh37 or GRCh38.
        reference: the reference genome (FASTA), to hold REF alleles against; of a PLINK file set it tells them.
    """
    panels = panels_of(load_settings(at.vault_folder))
    with reading(sites, "reading sites") as told:
        made = read_panel(sites, name=name, version=version, assembly=assembly, reference=reference, progress=told)
    panels.put(made)
    _show(at, [made], json=json)


@panel.command
def publish(
    panel: str,
    *,
    hub: Annotated[
        Path | None, Parameter(env_var="NEBULA_HUB", help="The operator's hub: its folder, if not DIR/hub.")
    ] = None,
    network: NetworkOptions = OF_NETWORK,
    json: Json = False,
) -> None:
    """Enter a panel on the ledger, for the operator: by its hash, once and for ever. Done again, nothing changes.

    A panel of a name that stands there already becomes its newest version, and the ledger says which one it follows.

    Args:
        panel: the panel's name, NAME@VERSION or id.
    """
    settings_file = (hub or network.folder / "hub") / "settings.json"
    settings = _operators(settings_file)
    if settings.panels_url is None:
        raise RejectedInputError("panel.url", _NO_PLACE, hint=f"add panels_url to {settings_file}")
    chosen = PanelShelf(settings.panels_url).choose(panel)
    publish_panel(settings, chosen)
    if json:
        print_json({"published": True, **facts_of(chosen)})
    else:
        out.print(f"{chosen.name}, version {chosen.version}, stands on the ledger: {chosen.panel_id}", markup=False)


@panel.command(name="list")
def list_panels(*, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """List the network's panels, and whether each stands on the ledger: studies run on no other."""
    _show(at, panels_of(load_settings(at.vault_folder)).all(), json=json)


def panels_of(settings: VaultSettings) -> PanelShelf:
    """Return the panels of the network that a vault has joined.

    Raises:
        RejectedInputError: the settings do not say where they are.
    """
    if settings.panels_url is None:
        raise RejectedInputError("panel.url", _NO_PLACE, hint="add panels_url to the vault's settings.json")
    return PanelShelf(settings.panels_url)


def _operators(settings_file: Path) -> HubSettings:
    try:
        return load_hub_settings(settings_file)
    except OSError as error:
        raise RejectedInputError(
            "panel.operator",
            f"{settings_file} cannot be read: {error.strerror}",
            hint="panels are published on the machine of a network's operator: --hub names the folder of their hub",
        ) from error


def _show(at: VaultOptions, panels: list[Panel], *, json: bool) -> None:
    standing = _standing(load_settings(at.vault_folder), panels)
    if json:
        print_json({"panels": [facts_of(one) | {"published": standing[one.panel_id]} for one in panels]})
    elif not panels:
        tell("This network has no panel yet: `nebula panel build SITES.vcf.gz --name NAME` makes one.")
    else:
        rows = [
            (one.name, one.version, one.assembly, f"{one.sites:,}", _WORDS[standing[one.panel_id]], short(one.panel_id))
            for one in panels
        ]
        show_table(("panel", "version", "assembly", "sites", "on the ledger", "id"), rows, numbers=("sites",))
        missing = [called(one) for one in panels if standing[one.panel_id] is False]
        if missing:
            command = f"nebula panel publish {shlex.quote(missing[0])}"
            tell(f"Studies run on {missing[0]} once its operator has published it: `{command}`")


def _standing(settings: VaultSettings, panels: list[Panel]) -> dict[str, bool | None]:
    """Whether each panel stands on the ledger; None where that cannot be told."""
    if settings.panels_contract is None:
        return dict.fromkeys(one.panel_id for one in panels)
    contract = Panels(LedgerClient(settings.ledger_url), settings.panels_contract)
    try:
        return {one.panel_id: contract.is_published(one.panel_id) for one in panels}
    except UnavailableError as error:
        err.print(f"nebula: note: {error.message}", markup=False)
        return dict.fromkeys(one.panel_id for one in panels)


def facts_of(one: Panel) -> dict[str, object]:
    """Return what is shown of a panel."""
    named = {"panel": one.panel_id, "name": one.name, "version": one.version}
    return {**named, "assembly": one.assembly, "sites": one.sites}
