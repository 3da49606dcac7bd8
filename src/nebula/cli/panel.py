"""``nebula panel build|list``: the sites on which genotypes are compared."""

from pathlib import Path

from cyclopts import App

from nebula.cli.console import print_json, reading, short, show_table
from nebula.cli.hints import tell
from nebula.cli.options import OF_VAULT, Json, VaultOptions
from nebula.genome.panel import Panel
from nebula.protocol.errors import RejectedInputError
from nebula.storage.panels import Panels
from nebula.vault.import_ import read_panel
from nebula.vault.settings import VaultSettings, load_settings

panel = App(name="panel", help="Panels: the lists of sites on which genotypes are stored and compared.")


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
    """Make a panel of every variant of a file, and publish it on this network.

    Args:
        sites: a VCF, plain or compressed, or the .bed of a PLINK file set; genotypes are not used.
        name: what people will call the panel.
        version: another version is another panel.
        assembly: of the file, where it does not say it: GRCh37 or GRCh38.
        reference: the reference genome (FASTA), which tells the REF alleles of a PLINK file set.
    """
    panels = panels_of(load_settings(at.vault_folder))
    with reading(sites, "reading sites") as told:
        made = read_panel(sites, name=name, version=version, assembly=assembly, reference=reference, progress=told)
    panels.publish(made)
    _show([made], json=json)


@panel.command(name="list")
def list_panels(*, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """List the network's panels."""
    _show(panels_of(load_settings(at.vault_folder)).all(), json=json)


def panels_of(settings: VaultSettings) -> Panels:
    """Return the panels of the network that a vault has joined.

    Raises:
        RejectedInputError: the settings do not say where they are.
    """
    if settings.panels_url is None:
        raise RejectedInputError(
            "panel.url", "the vault's settings do not say where panels are", hint="add panels_url to settings.json"
        )
    return Panels(settings.panels_url)


def _show(panels: list[Panel], *, json: bool) -> None:
    if json:
        print_json({"panels": [facts_of(one) for one in panels]})
    elif not panels:
        tell("This network has no panel yet: `nebula panel build SITES.vcf.gz --name NAME` makes one.")
    else:
        rows = [(one.name, one.version, one.assembly, f"{one.sites:,}", short(one.panel_id)) for one in panels]
        show_table(("panel", "version", "assembly", "sites", "id"), rows, numbers=("sites",))


def facts_of(one: Panel) -> dict[str, object]:
    """Return what is shown of a panel."""
    named = {"panel": one.panel_id, "name": one.name, "version": one.version}
    return {**named, "assembly": one.assembly, "sites": one.sites}
