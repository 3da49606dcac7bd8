"""A whole network on this machine: ``nebula up``, ``status``, ``down``."""

import httpx2

from nebula.cli.console import err, out, print_json
from nebula.cli.hints import complete, tell
from nebula.cli.options import OF_NETWORK, Json, NetworkOptions
from nebula.localnet.processes import answers, missing
from nebula.localnet.settings_files import LocalNetwork, load_network
from nebula.localnet.setup import open_network
from nebula.localnet.supervisor import ProcessState, running, states, stop


def up(*, at: NetworkOptions = OF_NETWORK) -> None:
    """Start a whole network on this machine, or make one. Its hardware is simulated: it protects nothing."""
    was_up = running(at.folder) is not None
    network = open_network(at.folder, tell=lambda what: err.print(f"  {what} …"))
    said = "was up already" if was_up else "is up"
    out.print(f"The network in {at.folder} {said}. Hardware is SIMULATED. Hub: {network.hub_url}", markup=False)
    tell("`nebula status` shows its processes, `nebula down` stops them; `nebula vault init` makes a place for you.")


def down(*, at: NetworkOptions = OF_NETWORK) -> None:
    """Stop a network. Nothing is lost; `nebula up` goes on."""
    if stop(at.folder):
        out.print(f"The network in {at.folder} is down.", markup=False)
    elif load_network(at.folder) is None:
        raise missing(at.folder)
    else:
        out.print(f"The network in {at.folder} is not running.", markup=False)


def status(*, at: NetworkOptions = OF_NETWORK, json: Json = False) -> None:
    """Show which processes run, and whether they answer."""
    network, is_up = load_network(at.folder), running(at.folder) is not None
    if network is None and not is_up:
        raise missing(at.folder)
    noted = states(at.folder)
    answering = _answering(network) if network is not None and is_up else {}
    found = [
        {"name": one.name, "pid": one.pid, "starts": one.starts, "answers": answering.get(one.name)}
        for one in noted
        if is_up
    ]
    if json:
        print_json({"running": is_up, "simulated": True, "processes": found})
    elif is_up:
        for one in noted:
            _show(one, answering.get(one.name))
        if network is None:
            tell("The network is not made to its end yet: `nebula up` goes on.")
    else:
        fell = (
            "ended without being told to (killed, or this machine was restarted); nothing is lost"
            if noted
            else "is down"
        )
        out.print(complete(f"The network in {at.folder} {fell}. `nebula up` starts it."), markup=False)


def _answering(network: LocalNetwork) -> dict[str, bool]:
    with httpx2.Client(timeout=2, trust_env=False) as http:
        return {name: answers(url, http) for name, url in network.party_urls.items()}


def _show(one: ProcessState, answering: bool | None) -> None:
    mark = {True: "answers", False: "does not answer", None: ""}[answering]
    out.print(f"{one.name:<14} pid {one.pid:<8} started {one.starts}x  {mark}".rstrip())
