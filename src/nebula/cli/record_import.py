"""``nebula record import``: a genome file is read, shown as it was understood, agreed to, and becomes a record."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from nebula.cli import asking, identity, importing, preview
from nebula.cli.console import err, out, print_json, reading
from nebula.cli.hints import tell
from nebula.cli.identity import Sex
from nebula.cli.options import OF_IMPORT, OF_VAULT, ImportOptions, Json, VaultOptions
from nebula.cli.owning import open_own
from nebula.cli.panel import panels_of
from nebula.cli.preview import Preview
from nebula.cli.record import facts_of
from nebula.clinical.tsv import PhenotypeSheet
from nebula.protocol.errors import RejectedInputError
from nebula.vault.finding import find_record
from nebula.vault.import_ import check_one_person, import_own
from nebula.vault.plink import is_plink
from nebula.vault.reading import read_genomes

_SUFFIXES = (".gz", ".bgz", ".txt", ".vcf", ".bcf", ".tsv", ".csv")


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
    check_one_person(genomes, name=file.name)
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
