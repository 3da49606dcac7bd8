"""``nebula consent show|edit|withdraw|approve``: what you permit, in plain words, and how to change your mind."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.markup import escape

from nebula.cli import asking, importing
from nebula.cli.console import counted, err, out, print_json, progress, show_facts
from nebula.cli.options import OF_VAULT, Json, VaultOptions, Yes
from nebula.cli.owning import open_own
from nebula.protocol.consent_words import in_words
from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.storage.panels import PanelShelf
from nebula.vault.consent import withdraw
from nebula.vault.decisions import approve
from nebula.vault.direct import Direct, load_wallet
from nebula.vault.enrol import control_key_of
from nebula.vault.finding import find_record
from nebula.vault.manifests import manifest_of
from nebula.vault.opening import OpenVault
from nebula.vault.payouts import all_records
from nebula.vault.state import Record, Stage

consent = App(name="consent", help="What you permit, and how to change your mind.")

USUAL_SITES = 10_000
"""How many sites risks are told for where the network's panels cannot be read."""


@consent.command
def show(record: str, *, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """Show a record's consent in plain words, and what its results may give away.

    Args:
        record: its id, a prefix of it, or its label.
    """
    opened = open_own(at)
    found = importing.find_current(opened, record)
    if json:
        print_policy(found, opened)
        return
    out.print(
        f"[bold]{escape(found.label)}[/bold], record {found.record}, {found.stage.value}, version {found.version}"
    )
    show_facts(in_words(found.policy))
    out.print("\n[bold]What results may give away[/bold]")
    show_facts(importing.risks(found.policy, sites_of(opened, found)))


consent.command("nebula.cli.consent_edit:edit", name="edit")


@consent.command(name="withdraw")
def withdraw_consent(
    record: str | None = None,
    *,
    every: Annotated[bool, Parameter(name=["--all"], negative="")] = False,
    direct: Annotated[bool, Parameter(negative="")] = False,
    wallet: Path | None = None,
    yes: Yes = False,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """End a record's consent, at once: it is in force with the block that has it, also for studies that run.

    Args:
        record: its id, a prefix of it, or its label.
        every: end the consent of every record in this vault.
        direct: send it yourself, by your own wallet, without the hub.
        wallet: the key of that wallet; by default the one in the vault's settings.
    """
    opened = open_own(at)
    vault, network = opened.vault, opened.network
    chosen = _chosen(opened, record, every=every)
    sender = Direct(vault.engine, network, load_wallet(opened.folder, opened.settings, wallet)) if direct else None
    what = counted(len(chosen), "record") if every else chosen[0].label
    asking.agree(f"Shall the consent of {what} end?", yes=yes)
    with progress() as bar:
        task = bar.add_task("withdrawing", total=len(chosen))
        block = withdraw(
            vault.engine,
            vault.owner,
            network,
            [one.record for one in chosen],
            direct=sender,
            done=lambda count: bar.advance(task, count),
        )
    if json:
        print_json({"withdrawn": [one.record for one in chosen], "block": block, "direct": direct})
        return
    when = f"with block {block}" if block is not None else "already"
    out.print(f"The consent of {what} has ended; this is in force {when}.", markup=False)
    err.print("No study begun or to come may use it; keepers delete their shares. Results that are out stay out.")


@consent.command(name="approve")
def approve_study(
    record: str, study: str, *, yes: Yes = False, at: VaultOptions = OF_VAULT, json: Json = False
) -> None:
    """Say yes to one study, for a record whose consent wants to be asked.

    Args:
        record: its id, a prefix of it, or its label.
        study: the study's id or a prefix of it, as `nebula record show` has it.
    """
    opened = open_own(at)
    found = find_record(opened.vault.engine, record)
    asking.agree(f"May study {study} use {found.label}?", yes=yes)
    document = approve(opened.vault.engine, opened.network, control_key_of(opened.vault.owner, found), study)
    if json:
        print_json({"record": found.record, "study": study_id(document), "title": document.title})
        return
    out.print(f"{found.label} may be used in: {document.title}", markup=False)


def sites_of(opened: OpenVault, record: Record) -> int:
    """Return how many sites the largest of a record's panels has: what the risk of a result is told for.

    The largest of the network's, where the record's storage does not tell.
    """
    if opened.settings.panels_url is None:
        return USUAL_SITES
    sites = {one.panel_id: one.sites for one in PanelShelf(opened.settings.panels_url).all()}
    try:
        parts = manifest_of(opened.vault.owner, record).parts
    except (UnavailableError, IntegrityError) as error:
        err.print(f"nebula: note: {error.message}; risks are told for the network's largest panel", markup=False)
        parts = ()
    own = [sites[part.panel] for part in parts if part.panel in sites]
    return max(own or sites.values(), default=USUAL_SITES)


def _chosen(opened: OpenVault, record: str | None, *, every: bool) -> list[Record]:
    if every == (record is not None):
        raise RejectedInputError("consent.which", "either a record is named or --all is given, not both or neither")
    if record is not None:
        return [find_record(opened.vault.engine, record)]
    found = [one for one in all_records(opened.vault.engine) if one.stage is not Stage.WITHDRAWN]
    if not found:
        raise RejectedInputError("consent.none", "no record of this vault has a consent that could end")
    return found


def print_policy(found: Record, opened: OpenVault) -> None:
    """Print a record's consent as JSON."""
    print_json(
        {
            "record": found.record,
            "label": found.label,
            "stage": found.stage.value,
            "version": found.version,
            "words": in_words(found.policy),
            "risks": importing.risks(found.policy, sites_of(opened, found)),
            "policy": found.policy,
        }
    )
