"""Which processes make a network, and how to start, watch and stop them together."""

import subprocess
import sys
from pathlib import Path

import httpx2

from nebula.localnet.setup import LocalNetwork, load_network
from nebula.localnet.supervisor import ProcessSpec, Supervisor, running, wait_until
from nebula.protocol.errors import RejectedInputError

START_SECONDS = 60


def specs(folder: Path, network: LocalNetwork) -> list[ProcessSpec]:
    """Return the processes of a network, in the order in which they are started."""
    ledger_port = network.ledger_url.rpartition(":")[2]
    ledger_files = ("--database", str(folder / "ledger.sqlite"), "--genesis", str(folder / "genesis.json"))
    return [
        _spec("ledger", "ledger", "serve", *ledger_files, "--port", ledger_port),
        _spec("hardware", "hardware", "serve", "--folder", str(folder / "hardware"), "--port", network.hardware_port),
        *(
            _spec(f"keeper-{number}", "keeper", "serve", "--settings", str(folder / f"keeper-{number}/settings.json"))
            for number in range(1, len(network.keepers) + 1)
        ),
        _spec("hub", "hub", "serve", "--settings", str(folder / "hub/settings.json")),
        _spec("host", "enclave", "serve", "--settings", str(folder / "host/settings.json")),
    ]


def supervise(folder: Path) -> None:
    """Run a made network in the foreground until told to stop.

    Raises:
        RejectedInputError: there is no network in the folder.
    """
    network = load_network(folder)
    if network is None:
        raise RejectedInputError("localnet.missing", f"there is no network in {folder}", hint="`nebula up` makes one")
    Supervisor(folder, specs(folder, network)).run()


def start(folder: Path, network: LocalNetwork) -> None:
    """Start a network's supervisor, unless it runs, and return once every party answers.

    Raises:
        UnavailableError: a party does not answer in time; its log says why.
    """
    if running(folder) is None:
        (folder / "logs").mkdir(exist_ok=True)
        with (folder / "logs" / "supervisor.log").open("ab") as log:
            subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                [sys.executable, "-m", "nebula.localnet", str(folder.absolute())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    for url in (*(keeper.url for keeper in network.keepers), network.hub_url):
        wait_until(lambda url=url: answers(url), seconds=START_SECONDS, what=f"the party at {url}")  # type: ignore[misc]


def answers(url: str) -> bool:
    """Whether a party says who it is."""
    try:
        return httpx2.get(f"{url}/v1/identity", timeout=2, trust_env=False).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _spec(name: str, *arguments: str | int) -> ProcessSpec:
    return ProcessSpec(name, ("nebula.cli", *map(str, arguments)))
