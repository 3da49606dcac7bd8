"""Run one party by itself, as in production: ``nebula keeper serve --settings FILE``."""

import sys
from pathlib import Path

from cyclopts import App

ledger = App(name="ledger", help="The embedded ledger node.")
hardware = App(name="hardware", help="Simulated SGX hardware, for trying the network. It protects nothing.")
keeper = App(name="keeper", help="A keeper: holds key shares, releases them under consent.")
hub = App(name="hub", help="The hub: catalogue, relay, study orchestration.")
enclave = App(name="enclave", help="The host that starts enclave workers.")


@ledger.command(name="serve")
def serve_ledger(*, database: Path, genesis: Path | None = None, host: str = "127.0.0.1", port: int = 8545) -> None:
    """Serve a ledger from one SQLite file until stopped.

    Args:
        database: the ledger's file; made at the first start.
        genesis: who holds ether at the beginning; read at the first start.
        host: address to answer at.
        port: port to answer at.
    """
    from nebula.ledger.node import Genesis, LedgerSettings, parse_genesis, serve  # noqa: PLC0415

    first = parse_genesis(genesis.read_bytes()) if genesis else Genesis()
    serve(LedgerSettings(database, host=host, port=port, genesis=first))


@ledger.command(name="check")
def check_ledger(*, database: Path) -> None:
    """Execute every block again and compare; exit status 5 when anything differs.

    Args:
        database: the ledger's file.
    """
    from nebula.ledger.node import check  # noqa: PLC0415

    report = check(database)
    print(report)
    sys.exit(0 if report.sound else 5)


@hardware.command(name="serve")
def serve_hardware(*, folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Serve a simulated processor and its collateral below a folder until stopped.

    Args:
        folder: where the processor's keys are and its certificates go; it is made.
        port: port to answer at.
        host: address to answer at.
    """
    from nebula.attestation.simulator.__main__ import serve  # noqa: PLC0415

    serve(folder, host=host, port=port)


@keeper.command(name="serve")
def serve_keeper(*, settings: Path) -> None:
    """Serve a keeper until stopped.

    Args:
        settings: the keeper's settings, a JSON file.
    """
    from nebula.keeper.app import serve  # noqa: PLC0415

    serve(settings)


@keeper.command(name="check")
def check_keeper(*, database: str, heads: Path | None = None) -> None:
    """Re-compute the chain of a keeper's decision log; exit status 5 where it is broken.

    Args:
        database: the keeper's database, as its settings name it: sqlite:///FILE or postgresql+psycopg://...
        heads: signed heads of this log that others kept (`GET /v1/log-head`), one a line; each must be in the chain.
    """
    from nebula.keeper.head import check_log, parse_heads  # noqa: PLC0415

    known = parse_heads(heads.read_bytes().splitlines()) if heads is not None else ()
    entries = check_log(database, known)
    print(f"the decision log is whole: {entries:,} entries, {len(known):,} earlier heads found in it")


@hub.command(name="serve")
def serve_hub(*, settings: Path) -> None:
    """Serve the hub until stopped.

    Args:
        settings: the hub's settings, a JSON file.
    """
    from nebula.hub.app import serve  # noqa: PLC0415

    serve(settings)


@enclave.command(name="serve")
def serve_enclave(*, settings: Path) -> None:
    """Ask the hub for runs and carry each out in an enclave worker, until stopped.

    Args:
        settings: the host's settings, a JSON file.
    """
    from nebula.host.app import serve  # noqa: PLC0415

    serve(settings)
