"""Which processes make a network, and how to start them together and know that they answer.

The supervisor comes first and starts the ledger and the hardware; it starts the parties once there is a network for
them to belong to. So a network that is being made has its ledger started once.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import httpx2

from nebula.localnet.discovery import HOST, settings_file
from nebula.localnet.places import KEEPERS, LOCAL, is_made, ports, prepare
from nebula.localnet.supervisor import ProcessSpec, Supervisor, running, states, wait_until
from nebula.protocol.errors import RejectedInputError, UnavailableError

START_SECONDS = 180
MOST_RESTARTS = 5
"""A process that ends this often while it is waited for, the supervisor too, will not come up."""


def specs(folder: Path) -> list[ProcessSpec]:
    """Return the processes that can run by now, in the order in which they are started."""
    listening = ports(folder)
    ledger_files = ("--database", str(folder / "ledger.sqlite"), "--genesis", str(folder / "genesis.json"))
    foundations = [
        _spec("ledger", "ledger", "serve", *ledger_files, "--port", listening["ledger"]),
        _spec("hardware", "hardware", "serve", "--folder", folder / "hardware", "--port", listening["hardware"]),
    ]
    if not is_made(folder):
        return foundations
    discoveries = settings_file(folder)
    return [
        *foundations,
        *(_spec(name, "keeper", "serve", "--settings", folder / name / "settings.json") for name in KEEPERS),
        _spec("hub", "hub", "serve", "--settings", folder / "hub" / "settings.json"),
        _spec("host", "enclave", "serve", "--settings", folder / "host" / "settings.json"),
        *([_spec(HOST, "enclave", "serve", "--settings", discoveries)] if discoveries.exists() else []),
    ]


def supervise(folder: Path) -> None:
    """Run a network in the foreground until told to stop.

    Raises:
        RejectedInputError: there is no network in the folder.
        UnavailableError: it is running already.
    """
    if not (folder / "ports.json").exists():
        raise missing(folder)
    Supervisor(folder, lambda: specs(folder)).run()


def missing(folder: Path) -> RejectedInputError:
    """Return the error that there is no network in a folder."""
    return RejectedInputError("localnet.missing", f"there is no network in {folder}", hint="`nebula up` makes one")


def begin(folder: Path) -> None:
    """Start the supervisor of a folder, made or still to be made, unless it runs; does not wait for its processes.

    Raises:
        UnavailableError: it does not start, or another program listens where the network did.
    """
    prepare(folder)
    if running(folder) is not None:
        return
    if not states(folder):  # after a kill, those who still hold the ports may be our own, on their way out
        _check_ports(folder)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    with (logs / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            [sys.executable, "-m", "nebula.localnet", str(folder.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def is_up() -> bool:
        if running(folder) is not None:  # this one, or one that was started at the same moment
            return True
        if supervisor.poll() is not None:
            raise _no_supervisor(folder, "the supervisor ended at once")
        return False

    wait_until(is_up, seconds=START_SECONDS, what="the supervisor")


def wait_for(folder: Path, parties: Mapping[str, str]) -> None:
    """Return once every party of a folder answers; ``parties`` are their URLs by name.

    Raises:
        UnavailableError: one does not, or ends again and again; its log says why.
    """
    before, times = _starts(folder), count(1)
    with httpx2.Client(timeout=2, trust_env=False) as http:  # opening one takes longer than an answer does
        for name, url in parties.items():

            def is_up(name: str = name, url: str = url) -> bool:
                if running(folder) is None:  # what held the folder was dying when it was looked at first
                    if next(times) > MOST_RESTARTS:
                        raise _no_supervisor(folder, "the supervisor ends as soon as it is started")
                    begin(folder)
                _check_lasting(folder, name, before.get(name, 1))
                return answers(url, http)

            wait_until(is_up, seconds=START_SECONDS, what=f"{name} at {url}")


def _no_supervisor(folder: Path, sentence: str) -> UnavailableError:
    return UnavailableError("localnet.supervisor", sentence, hint=f"{folder / 'logs' / 'supervisor.log'} says why")


def _starts(folder: Path) -> dict[str, int]:
    return {one.name: one.starts for one in states(folder)}


def _check_lasting(folder: Path, name: str, before: int) -> None:
    if _starts(folder).get(name, 1) - before >= MOST_RESTARTS:
        raise UnavailableError(
            "localnet.failing", f"{name} ends as soon as it is started", hint=f"{folder / 'logs' / name}.log says why"
        )


def _check_ports(folder: Path) -> None:
    for name, port in ports(folder).items():
        try:
            socket.create_server((LOCAL, port)).close()
        except OSError as error:
            raise UnavailableError(
                "localnet.port",
                f"port {port}, at which this network's {name} listens, is in use: {os.strerror(error.errno or 0)}",
                hint=f"`ss -ltnp 'sport = :{port}'` tells by which program; end that one, or choose another --dir",
            ) from error


def answers(url: str, http: httpx2.Client) -> bool:
    """Whether a party says who it is."""
    try:
        return http.get(f"{url}/v1/identity").status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _spec(name: str, *arguments: str | int | Path) -> ProcessSpec:
    return ProcessSpec(name, ("nebula.cli", *map(str, arguments)))
