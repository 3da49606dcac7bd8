"""``nebula record import|list|show|export|rederive|report``: bring a genome in, see what became of it, get it back."""

import shlex
from pathlib import Path

from cyclopts import App
from rich.markup import escape

from nebula.cli import importing
from nebula.cli.console import err, out, print_json, short, show_facts, show_table
from nebula.cli.hints import tell
from nebula.cli.options import OF_VAULT, Json, VaultOptions
from nebula.cli.owning import open_own
from nebula.protocol.funding import study_id
from nebula.transport.public import PublicFiles
from nebula.vault.decisions import KeeperDecisions, read_decisions
from nebula.vault.enrol import control_key_of
from nebula.vault.export import Exported, export
from nebula.vault.finding import find_record
from nebula.vault.manifests import StoredPart, read_parts
from nebula.vault.opening import OpenVault
from nebula.vault.payouts import all_records
from nebula.vault.state import Record

record = App(name="record", help="Your records: what you offer, encrypted, under your own keys.")


record.command("nebula.cli.record_import:import_", name="import")
record.command("nebula.cli.report:report", name="report")


@record.command(name="list")
def list_records(*, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """List the records of this vault, and how far each has come."""
    opened = open_own(at)
    found = sorted(all_records(opened.vault.engine), key=lambda one: (one.label, one.record))
    if json:
        print_json({"records": [facts_of(one) for one in found]})
    elif not found:
        tell("This vault has no record yet: `nebula record import FILE` makes one.")
    else:
        rows = [(one.label, short(one.record), one.stage.value, str(one.version)) for one in found]
        show_table(("label", "record", "stage", "version"), rows, numbers=("version",))


@record.command(name="export")
def export_part(record: str, *, part: Exported, output: Path, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """Write a part of a record to a new file, decrypted: the file as it came, or the standard record as Parquet.

    Args:
        record: its id, a prefix of it, or its label.
        part: original or parquet.
        output: the file to write; it must not be there yet.
    """
    opened = open_own(at)
    found = find_record(opened.vault.engine, record)
    length = export(opened.vault, found, part, output)
    if json:
        print_json({"record": found.record, "part": part.value, "output": str(output), "bytes": length})
        return
    out.print(f"{output}: {length:,} bytes, as the record's manifest has them.", markup=False)
    err.print("It is not encrypted: whoever reads the file reads your genome.")


record.command("nebula.cli.rederive:rederive", name="rederive")


@record.command
def show(record: str, *, at: VaultOptions = OF_VAULT, json: Json = False) -> None:
    """Show a record: its parts on storage, and what each keeper decided about it, and why.

    Args:
        record: its id, a prefix of it, or its label.
    """
    opened = open_own(at)
    found = importing.find_current(opened, record)
    parts = read_parts(opened.vault.owner, found)
    keepers = read_decisions(opened.vault.engine, opened.network, control_key_of(opened.vault.owner, found))
    if json:
        print_json(facts_of(found) | {"parts": parts, "keepers": keepers})
        return
    stage = f"{found.stage.value}, version {found.version}"
    show_facts({"label": found.label, "record": found.record, "stage": stage})
    out.print("\n[bold]Parts[/bold], all of them encrypted")
    _show_parts(parts)
    out.print("\n[bold]What the keepers decided[/bold]")
    _show_decisions(opened, found, keepers)


def facts_of(one: Record) -> dict[str, object]:
    """Return what is shown of a record, for programs."""
    return {
        "record": one.record,
        "label": one.label,
        "stage": one.stage.value,
        "version": one.version,
        "donor": one.donor,
        "manifest_location": one.manifest_location,
    }


def _show_parts(parts: list[StoredPart]) -> None:
    rows = [
        (_kind(one), f"{one.plaintext_bytes:,}", f"{one.stored_bytes:,}" if one.stored_bytes else "away", one.storage)
        for one in parts
    ]
    show_table(("part", "bytes", "stored", "storage"), rows, numbers=("bytes", "stored"))


def _kind(one: StoredPart) -> str:
    return one.kind if one.panel is None else f"{one.kind} on {short(one.panel)}"


def _show_decisions(opened: OpenVault, record: Record, keepers: list[KeeperDecisions]) -> None:
    hub = PublicFiles(opened.settings.hub_url)
    titles: dict[str, str] = {}
    rows = []
    for number, keeper in enumerate(keepers, start=1):
        if keeper.decisions is None:
            rows.append((f"{number}", "", "does not answer", "", ""))
            continue
        for one in keeper.decisions:
            if one.study not in titles:
                document = hub.study(one.study)
                titles[one.study] = document.title if document is not None else ""
            said = "released" if one.released else "refused: " + "; ".join(one.reasons)
            rows.append((f"{number}", short(one.study), titles[one.study], said, str(one.block_number)))
    if rows:
        show_table(("keeper", "study", "title", "decision", "block"), rows, numbers=("block",))
    else:
        out.print("  nothing yet: no study has asked for it")
    for number, keeper in enumerate(keepers, start=1):
        if keeper.head is not None and keeper.contradicted is not None:
            err.print(
                f"  · keeper {number} has rewritten its log, or was set back to an old copy: it had "
                f"{keeper.contradicted.sequence:,} entries, and now shows {keeper.head.sequence:,}"
            )
    waiting = {study_id(study): study.title for keeper in keepers for study in keeper.waiting}
    for study, title in sorted(waiting.items()):
        out.print(f"  waits for your approval: {escape(title)}")
        tell(f"  `nebula consent approve {shlex.quote(record.label)} {short(study)}` says yes to it")
