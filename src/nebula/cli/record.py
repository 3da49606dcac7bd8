"""``nebula record import|list|show|export|rederive|report``: bring a genome in, see what became of it, get it back."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.markup import escape

from nebula.cli import asking, identity, importing, preview
from nebula.cli.console import err, out, print_json, reading, short, show_facts, show_table
from nebula.cli.hints import tell
from nebula.cli.identity import Sex
from nebula.cli.options import OF_IMPORT, OF_VAULT, ImportOptions, Json, VaultOptions
from nebula.cli.owning import open_own
from nebula.cli.panel import panels_of
from nebula.cli.preview import Preview
from nebula.clinical.tsv import PhenotypeSheet
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.funding import study_id
from nebula.transport.public import PublicFiles
from nebula.vault.decisions import KeeperDecisions, read_decisions
from nebula.vault.enrol import control_key_of
from nebula.vault.export import Exported, export
from nebula.vault.finding import find_record
from nebula.vault.import_ import check_one_person, import_own
from nebula.vault.manifests import StoredPart, read_parts
from nebula.vault.opening import OpenVault
from nebula.vault.payouts import all_records
from nebula.vault.plink import is_plink
from nebula.vault.reading import read_genomes
from nebula.vault.state import Record

record = App(name="record", help="Your records: what you offer, encrypted, under your own keys.")

_SUFFIXES = (".gz", ".bgz", ".txt", ".vcf", ".bcf", ".tsv", ".csv")


@record.command(name="import")
def import_(
    file: Path,
    *,
    label: str | None = None,
    sex: Sex | None = None,
    confirm_identity: Annotated[bool, Parameter(negative="")] = False,
    original: bool = True,
    how: ImportOptions = OF_IMPORT,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Bring in a genome file of one person: VCF, BCF, or raw data of a consumer test. Done again, it goes on.

    Nothing is stored before you have seen how the file was understood and have agreed to the consent.

    Args:
        file: the genome file, plain or compressed.
        label: what you call the record; by default the file's sample name, or the file's own.
        sex: of the person, to hold against what the X says; it is not stored.
        confirm_identity: say that the file is the right one where the comparison with the vault's records, the sex or
            the reads raise a doubt.
        original: keep the file as it came, too, encrypted to you alone; `nebula record export` gives it back. A PLINK
            file set is not kept.
    """
    importing.look_for(file, how)
    opened = open_own(at)
    chosen = panels_of(opened.settings).choose(how.panel)
    first = importing.FirstPolicy(opened.settings, how.policy)
    with reading(file, "reading the file") as told:
        genomes = read_genomes(
            file, chosen, reference=how.reference, chain=how.chain, lenient=how.lenient, progress=told
        )
    check_one_person(genomes)
    name = label or genomes.samples[0] or _plain_name(file)
    sheet = _sheet_of(name, how)
    keep = original and not is_plink(file)  # of a set of three files, one alone is worth nothing
    seen = Preview(
        file=file.name,
        genomes=genomes,
        panel=chosen,
        phenotypes=sheet,
        first=first,
        settings=opened.settings,
        keeps_original=keep,
    )
    known = name in importing.labels(opened)
    if not known:
        found = identity.identify(opened.vault, file, genomes, chosen, stated_sex=sex)
        seen = replace(seen, identity=found)
    if how.dry_run:
        preview.show_only(seen, json=json)
        return
    if not known:
        preview.show(seen)
        if seen.identity is not None:
            identity.confirm(seen.identity, confirmed=confirm_identity)
        asking.agree("Do you agree, and shall the record be made?", yes=how.yes)
    else:
        err.print(f"{escape(name)} is in this vault already; what is missing of its enrolment is done now.")
    made = import_own(
        opened.vault,
        genomes,
        sheet.tables if sheet else {},
        policy_of=first,
        label=name,
        original=file if keep else None,
    )
    importing.enrol(opened)
    made = find_record(opened.vault.engine, made.record)
    if json:
        print_json(facts_of(made))
        return
    out.print(f"{made.label} is record {made.record}, {made.stage.value}.", markup=False)
    tell(f"`nebula record show {shlex.quote(made.label)}` tells what keepers decide about it,")
    tell("`nebula payout list` what it earns.")


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


def _plain_name(file: Path) -> str:
    name = file.name
    while name.endswith(_SUFFIXES):
        name = name.rpartition(".")[0]
    return name or file.name


def _sheet_of(label: str, how: ImportOptions) -> PhenotypeSheet | None:
    try:
        return importing.read_table(how, [label])
    except RejectedInputError as error:
        if error.code != "phenotypes.no-samples":
            raise
        hint = f"a column must name the person as {label!r}, or --label must say what the table calls them"
        raise RejectedInputError(error.code, error.message, hint=hint) from error
