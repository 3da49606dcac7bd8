"""``nebula audit run|network``: re-compute everything, trusting nobody but a ledger node of your choice."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter
from rich.markup import escape

from nebula.attestation.roots import TrustRoot
from nebula.audit import AuditReport, audit_network, audit_run, parse_run_file
from nebula.cli.console import out, print_json
from nebula.cli.hints import tell
from nebula.cli.options import OF_NETWORK, Json, NetworkOptions
from nebula.ledger.client import LedgerClient, Network, parse_network_addresses
from nebula.localnet.settings_files import load_network
from nebula.protocol.errors import IntegrityError, RejectedInputError

audit = App(name="audit", help="Check a run, or the whole network, from the ledger and public files alone.")

T = TypeVar("T")
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
    at: NetworkOptions = OF_NETWORK,
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
    root = trust_root or _found(at.folder / "hardware" / "root.der")
    roots = [TrustRoot.intel(), *([TrustRoot(_read(root))] if root else [])]
    public = _parse(
        parse_run_file, file, "a run's public file", hint="`nebula study result STUDY` writes one: run.json"
    )
    network = _network(ledger, contracts, at.folder)
    report = audit_run(public, network, roots, result=_read(result) if result else None)
    _print(report, json=json)
    if report.simulated and root is None:
        tell(
            "The run says that its hardware was simulated, and you named no trust root of such hardware to believe, so "
            "its quote cannot be checked: --trust-root FILE names one (hardware/root.der of the network's folder)."
        )
    _end(report)


@audit.command(name="network")
def network(
    *, ledger: LedgerUrl = None, contracts: Contracts = None, at: NetworkOptions = OF_NETWORK, json: Json = False
) -> None:
    """Audit the whole network: supply, payments, escrows, votes, records."""
    report = audit_network(_network(ledger, contracts, at.folder))
    _print(report, json=json)
    _end(report)


def _network(ledger: str | None, contracts: Path | None, folder: Path) -> Network:
    addresses = contracts or _found(folder / "contracts.json")
    url = _ledger_url(folder) if ledger is None else ledger
    if addresses is None or url is None:
        raise RejectedInputError(
            "audit.network",
            f"which ledger? There is no network in {folder}",
            hint="--dir names a network's folder; or name --ledger URL and --contracts FILE",
        )
    if not url.startswith(("http://", "https://")):
        hint = f"such as --ledger http://{'localhost:8545' if '://' in url or not url else url}"
        raise RejectedInputError("audit.ledger", f"{url!r} is no URL of a ledger node", hint=hint)
    hint = "contracts.json in a network's folder is one"
    return Network(
        LedgerClient(url), _parse(parse_network_addresses, addresses, "a file of the contracts' addresses", hint=hint)
    )


def _ledger_url(folder: Path) -> str | None:
    local = load_network(folder)
    return None if local is None else local.ledger_url


def _found(path: Path) -> Path | None:
    return path if path.exists() else None


def _print(report: AuditReport, *, json: bool) -> None:
    if json:
        print_json(report)
        return
    out.print(f"Audit of {report.subject}, at block {report.block_number}")
    if report.simulated:
        out.print("[bold]SIMULATED hardware was involved: it protects nothing.[/bold]")
    for check in report.checks:
        out.print(f"  {'ok  ' if check.passed else 'FAIL'} {check.name:<14} {escape(check.sentence)}")


def _end(report: AuditReport) -> None:
    if report.failed:
        sys.exit(IntegrityError.exit_status)


def _parse(parse: Callable[[bytes], T], path: Path, what: str, *, hint: str) -> T:
    try:
        return parse(_read(path))
    except RejectedInputError as error:
        if not error.code.startswith("wire."):
            raise
        raise RejectedInputError(error.code, f"{path} is not {what}: {error.message}", hint=hint) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RejectedInputError(
            "audit.file", f"{path} cannot be read: {error.strerror}", hint="check its name and who may read it"
        ) from error
