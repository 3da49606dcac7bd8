"""``nebula record rederive``: a record on a further panel."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nebula.cli import importing
from nebula.cli.console import out, print_json
from nebula.cli.options import OF_VAULT, Json, VaultOptions
from nebula.cli.owning import open_own
from nebula.cli.panel import panels_of
from nebula.cli.record import facts_of
from nebula.storage.panels import called
from nebula.vault.finding import find_record
from nebula.vault.rederive import rederive_one


def rederive(
    record: str,
    *,
    panel: str,
    reference: Path | None = None,
    chain: Path | None = None,
    lenient: Annotated[bool, Parameter(negative="")] = False,
    at: VaultOptions = OF_VAULT,
    json: Json = False,
) -> None:
    """Put a record on a further panel, from the file that was kept of it. Done again after a failure, it goes on.

    Nothing is uploaded again but the new vector; the consent stays as it is, and so do the panels that there were.

    Args:
        record: its id, a prefix of it, or its label.
        panel: the panel's name, NAME@VERSION or id.
        reference: the reference genome (FASTA), as for the file's import.
        chain: a UCSC chain file, as for the file's import.
        lenient: read a file that breaks rules, as for its import.
    """
    opened = open_own(at)
    found = find_record(opened.vault.engine, record)
    chosen = panels_of(opened.settings).choose(panel)
    derived = rederive_one(
        opened.vault,
        opened.network,
        found.record,
        chosen,
        enrol=partial(importing.enrol, opened),
        reference=reference,
        chain=chain,
        lenient=lenient,
    )
    current = find_record(opened.vault.engine, found.record)
    rate = None if derived is None else derived.call_rate
    if json:
        print_json(facts_of(current) | {"panel": chosen.panel_id, "call_rate": rate})
        return
    if rate is None:
        out.print(f"{current.label} is on panel {called(chosen)} already.", markup=False)
        return
    out.print(
        f"{current.label} is on panel {called(chosen)}, too, with {rate:.1%} of its sites; version {current.version} "
        "stands on the ledger.",
        markup=False,
    )
