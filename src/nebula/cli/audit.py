"""``nebula audit run|network``: re-compute everything, trusting nobody but a ledger node of your choice."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from nebula.attestation.roots import TrustRoot
from nebula.audit import AuditReport, audit_network, audit_run, parse_run_file
from nebula.cli.console import out, print_json
from nebula.cli.options import NETWORK, Folder, Json
from nebula.ledger.client import LedgerClient, Network, parse_network_addresses
from nebula.localnet.settings_files import load_network
from nebula.protocol.errors import IntegrityError, RejectedInputError

audit = App(name="audit", help="Check a run, or the whole network, from the ledger and public files alone.")


LedgerUrl = Annotated[str | None, Parameter(name=["--ledger"], help="URL of a node that you trust.")]
Contracts = Annotated[Path | None, Parameter(name=["--contracts"], help="A file with the contracts' addresses.")]


@audit.command(name="run")
def run(
    file: Path,
    *,
    ledger: LedgerUrl = None,
    contracts: Contracts = None,
    trust_root: Path | None = None,
    result: Path | None = None,
    folder: Folder = NETWORK,
    json: Json = False,
) -> None:
    """Audit one run; exit status 5 when any check fails.

    Where a network's folder is at hand, its ledger, contracts and (simulated) trust root are used unless others are
    named. Whoever trusts none of that names all three.

    Args:
        file: the run's public file, as the hub or anybody else hands it out.
        trust_root: a further trust root (DER) to believe; needed for simulated hardware.
        result: the opened result bundle, for its buyer.
    """
    root = trust_root or _found(folder / "hardware" / "root.der")
    roots = [TrustRoot.intel(), *([TrustRoot(_read(root))] if root else [])]
    public = parse_run_file(_read(file))
    report = audit_run(public, _network(ledger, contracts, folder), roots, result=_read(result) if result else None)
    show(report, json=json)


@audit.command(name="network")
def network(
    *, ledger: LedgerUrl = None, contracts: Contracts = None, folder: Folder = NETWORK, json: Json = False
) -> None:
    """Audit the whole network: supply, payments, escrows, votes, records."""
    show(audit_network(_network(ledger, contracts, folder)), json=json)


def _network(ledger: str | None, contracts: Path | None, folder: Path) -> Network:
    addresses = contracts or _found(folder / "contracts.json")
    url = ledger or _ledger_url(folder)
    if addresses is None or url is None:
        raise RejectedInputError(
            "audit.network",
            f"which ledger? There is no network in {folder}",
            hint="--dir names a network's folder; or name --ledger URL and --contracts FILE",
        )
    return Network(LedgerClient(url), parse_network_addresses(_read(addresses)))


def _ledger_url(folder: Path) -> str | None:
    local = load_network(folder)
    return None if local is None else local.ledger_url


def _found(path: Path) -> Path | None:
    return path if path.exists() else None


def show(report: AuditReport, *, json: bool) -> None:
    """Print a report, and end with status 5 if a check failed."""
    if json:
        print_json(report)
    else:
        out.print(f"Audit of {report.subject}, at block {report.block_number}")
        if report.simulated:
            out.print("[bold]SIMULATED hardware was involved: it protects nothing.[/bold]")
        for check in report.checks:
            out.print(f"  {'ok  ' if check.passed else 'FAIL'} {check.name:<14} {check.sentence}")
    if report.failed:
        sys.exit(IntegrityError.exit_status)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RejectedInputError("audit.file", f"{path} cannot be read: {error.strerror}") from error
