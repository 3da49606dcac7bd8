"""``python -m nebula.attestation.simulator serve --folder DIR --port PORT``: simulated hardware as a process.

Below DIR: ``pki/`` (made at the first start), ``device/`` (give it to workers), ``root.der`` (the root to pin). The
collateral service answers on http://HOST:PORT. ``measure`` prints the measurement of this installation.
"""

import argparse
import os
import socket
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvicorn

from nebula.attestation.simulator.bundle import PACKAGE, measure_installed_bundle
from nebula.attestation.simulator.collateral import issue_collateral
from nebula.attestation.simulator.cpu import SimulatedCpu
from nebula.attestation.simulator.device import serving_device
from nebula.attestation.simulator.pccs import collateral_by_day, pccs_app
from nebula.attestation.simulator.pki import DevelopmentPki

WARNING = "SIMULATED HARDWARE: it protects nothing, and no production policy accepts it."


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator's command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m nebula.attestation.simulator", description=WARNING)
    commands = parser.add_subparsers(dest="command", required=True)
    serve_command = commands.add_parser("serve", help="serve a CPU and its collateral until stopped")
    serve_command.add_argument("--folder", type=Path, required=True)
    serve_command.add_argument("--host", default="127.0.0.1")
    serve_command.add_argument("--port", type=int, required=True)
    measure_command = commands.add_parser("measure", help="print the measurement of this installation's worker")
    for command in (serve_command, measure_command):
        command.add_argument(
            "--package", type=Path, default=PACKAGE, help="the nebula package that workers load (default: this one)"
        )
    asked = parser.parse_args(arguments)
    if asked.command == "measure":
        sys.stdout.write(measure_installed_bundle(asked.package) + "\n")
    else:
        serve(asked.folder, host=asked.host, port=asked.port, package=asked.package)
    return 0


def serve(folder: Path, *, host: str, port: int, package: Path = PACKAGE) -> None:
    """Serve the device and the collateral below a folder until the process is told to stop.

    The one line on stderr is written once both can be reached.
    """
    pki = open_hardware(folder, at=_now())
    collateral = collateral_by_day(lambda at: issue_collateral(pki, at=at), _now)
    config = uvicorn.Config(pccs_app(collateral, pki=pki), log_level="warning", access_log=False)
    with (
        serving_device(folder / "device", SimulatedCpu(pki, partial(measure_installed_bundle, package))),
        socket.create_server((host, port)) as listener,
    ):
        sys.stderr.write(f"{WARNING} Device: {folder / 'device'}; collateral: http://{host}:{port}\n")
        sys.stderr.flush()
        uvicorn.Server(config).run(sockets=[listener])


def open_hardware(folder: Path, *, at: datetime) -> DevelopmentPki:
    """Open the hardware that a folder holds, or make it; its root is left at ``root.der`` for everyone."""
    pki = DevelopmentPki.open(folder / "pki", at=at)
    half_written = folder / f".root.der.{os.getpid()}"
    half_written.write_bytes(pki.trust_root.certificate_der)
    half_written.rename(folder / "root.der")
    return pki


_now = partial(datetime.now, UTC)

if __name__ == "__main__":
    sys.exit(main())
