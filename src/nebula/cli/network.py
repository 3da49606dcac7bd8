"""A whole network on this machine: ``nebula up``, ``status``, ``down``."""

from pathlib import Path
from typing import Annotated

import httpx2
from cyclopts import Parameter

from nebula.cli.console import err, out, print_json
from nebula.cli.options import NETWORK, Json
from nebula.localnet.places import KEEPERS
from nebula.localnet.processes import answers
from nebula.localnet.settings_files import LocalNetwork, load_network
from nebula.localnet.setup import open_network
from nebula.localnet.supervisor import running, states, stop
from nebula.protocol.errors import RejectedInputError

Folder = Annotated[
    Path,
    Parameter(name=["--dir"], env_var="NEBULA_DIR", help="The network's folder; all of its state is below it."),
]


def up(*, folder: Folder = NETWORK) -> None:
    """Start a whole network on this machine, or make one. Its hardware is simulated: it protects nothing."""
    network = open_network(folder, tell=lambda what: err.print(f"  {what} …"))
    out.print(f"The network in {folder} is up. Hardware is SIMULATED. Hub: {network.hub_url}")


def down(*, folder: Folder = NETWORK) -> None:
    """Stop a network. Nothing is lost; `nebula up` goes on."""
    if stop(folder):
        out.print(f"The network in {folder} is down.")
    else:
        _existing(folder)
        out.print(f"The network in {folder} is not running.")


def status(*, folder: Folder = NETWORK, json: Json = False) -> None:
    """Show which processes run, and whether they answer."""
    network = _existing(folder)
    with httpx2.Client(timeout=2, trust_env=False) as http:
        answering = {name: answers(url, http) for name, url in zip((*KEEPERS, "hub"), network.party_urls, strict=True)}
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
