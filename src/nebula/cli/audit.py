"""``nebula audit run|network``: re-compute everything, trusting nobody but a ledger node of your choice."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from nebula.attestation.roots import TrustRoot
from nebula.audit import AuditReport, audit_network, audit_run, parse_run_file
from nebula.cli.console import out, print_json
from nebula.ledger.client import LedgerClient, Network, parse_network_addresses
from nebula.protocol.errors import IntegrityError, RejectedInputError

audit = App(name="audit", help="Check a run, or the whole network, from the ledger and public files alone.")

Json = Annotated[bool, Parameter(name=["--json"])]


@audit.command(name="run")
def run(
    file: Path,
    *,
    ledger: str,
    contracts: Path,
    trust_root: Path | None = None,
    result: Path | None = None,
    json: Json = False,
) -> None:
    """Audit one run; exit status 5 when any check fails.

    Parameters
    ----------
    file: the run's public file, as the hub or anybody else hands it out.
    ledger: URL of a node that you trust.
    contracts: file with the contracts' addresses.
    trust_root: a further trust root (DER) to believe; needed for simulated hardware.
    result: the opened result bundle, for its buyer.
    json: print the report as JSON.
    """
    roots = [TrustRoot.intel(), *([TrustRoot(_read(trust_root))] if trust_root else [])]
    network = Network(LedgerClient(ledger), parse_network_addresses(_read(contracts)))
    report = audit_run(parse_run_file(_read(file)), network, roots, result=_read(result) if result else None)
    show(report, json=json)


@audit.command(name="network")
def network(*, ledger: str, contracts: Path, json: Json = False) -> None:
    """Audit the whole network: supply, payments, escrows, votes, records.

    Parameters
    ----------
    ledger: URL of a node that you trust.
    contracts: file with the contracts' addresses.
    json: print the report as JSON.
    """
    show(audit_network(Network(LedgerClient(ledger), parse_network_addresses(_read(contracts)))), json=json)


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
