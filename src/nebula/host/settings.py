"""A host's settings, read strictly from one JSON file."""

from pathlib import Path
from typing import Annotated

import msgspec

from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import Work
from nebula.protocol.wire import Document, parser


class KeeperUrl(Document, frozen=True, kw_only=True):
    """Where a keeper answers."""

    address: Address
    url: str


class SimulatedCpu(Document, frozen=True, kw_only=True, tag="simulated"):
    """Workers are plain processes; ``device``: the folder that the simulator serves for them.

    ``threads``: of a worker's linear algebra; as many as there are cores, unless said. Threads that wait for each
    other in a busy loop, as BLAS has them, are slow where other processes want the same cores.
    """

    device: str
    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None


class GramineCpu(Document, frozen=True, kw_only=True, tag="gramine"):
    """Workers run under ``gramine-sgx``. It has not run on hardware yet.

    ``folder`` holds the signed manifest ``worker.manifest.sgx``; the manifest fixes the worker's arguments, so that
    they are measured.
    """

    folder: str
    launcher: str = "gramine-sgx"


class HostSettings(Document, frozen=True, kw_only=True):
    """All that a host needs to know.

    Attributes:
        hub_url, hub_address: who gives orders.
        keepers: where the keepers answer. The worker names them, by the study.
        signing_key_file: 64 hex digits; its address is the one that the hub knows.
        panels_url: a storage; a panel lies there under its id without ``0x``.
        measurement: of this host's worker, so that only studies for it are ordered.
        cpu: how a worker is started.
        outbox_folder: where outputs wait until the hub has them; relative to the settings' folder.
        work: what this host asks for. A discovery keeps a host busy until its deadline, so it has one of its own.
        poll_seconds: between two questions for work.
    """

    hub_url: str
    hub_address: Address
    keepers: Annotated[tuple[KeeperUrl, ...], msgspec.Meta(min_length=1, max_length=64)]
    signing_key_file: str
    studies_contract: Address
    sessions_contract: Address
    panels_url: str
    measurement: Hash32
    cpu: SimulatedCpu | GramineCpu
    outbox_folder: str = "outbox"
    work: Work = "studies"
    poll_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 1.0


_parse = parser(HostSettings)


def load_settings(file: Path) -> HostSettings:
    """Read a host's settings.

    Raises:
        RejectedInputError: a field is missing, unknown or wrong.
    """
    return _parse(file.read_bytes())
