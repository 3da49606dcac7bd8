"""A whole network on this machine: ``nebula up``, ``status``, ``down``."""

import os
import signal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nebula.cli.console import err, out, print_json
from nebula.localnet.processes import answers, start
from nebula.localnet.setup import LocalNetwork, load_network, make_network
from nebula.localnet.supervisor import running, states, wait_until
from nebula.protocol.errors import RejectedInputError

FOLDER = Path("nebula-network")
STOP_SECONDS = 30
Folder = Annotated[Path, Parameter(name=["--dir"], help="The network's folder; all of its state is below it.")]
Json = Annotated[bool, Parameter(name=["--json"], help="Print one JSON object on standard output.")]


def up(*, folder: Folder = FOLDER) -> None:
    """Start a whole network on this machine, or make one. Its hardware is simulated: it protects nothing."""
    network = make_network(folder, tell=lambda what: err.print(f"  {what} …"))
    start(folder, network)
    out.print(f"The network in {folder} is up. Hardware is SIMULATED. Hub: {network.hub_url}")


def down(*, folder: Folder = FOLDER) -> None:
    """Stop a network. Nothing is lost; `nebula up` goes on."""
    _existing(folder)
    supervisor = running(folder)
    if supervisor is None:
        out.print(f"The network in {folder} is not running.")
        return
    os.kill(supervisor, signal.SIGTERM)
    wait_until(lambda: running(folder) is None, seconds=STOP_SECONDS, what="the supervisor's end")
    out.print(f"The network in {folder} is down.")


def status(*, folder: Folder = FOLDER, json: Json = False) -> None:
    """Show which processes run, and whether they answer."""
    network = _existing(folder)
    answering = {f"keeper-{n}": answers(keeper.url) for n, keeper in enumerate(network.keepers, start=1)}
    answering["hub"] = answers(network.hub_url)
    found = [
        {"name": one.name, "pid": one.pid, "starts": one.starts, "answers": answering.get(one.name)}
        for one in states(folder)
    ]
    if json:
        print_json({"running": running(folder) is not None, "simulated": True, "processes": found})
        return
    if not found:
        out.print(f"The network in {folder} is down. `nebula up` starts it.")
    for one in found:
        mark = {True: "answers", False: "does not answer", None: ""}[one["answers"]]  # type: ignore[index]
        out.print(f"{one['name']:<10} pid {one['pid']:<8} started {one['starts']}x  {mark}")


def _existing(folder: Path) -> LocalNetwork:
    network = load_network(folder)
    if network is None:
        raise RejectedInputError("localnet.missing", f"there is no network in {folder}", hint="`nebula up` makes one")
    return network
