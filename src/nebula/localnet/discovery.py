"""A second host of enclaves, for discoveries: a network has one once it is asked for, and not before."""

from pathlib import Path

import msgspec

from nebula.host.settings import load_settings
from nebula.localnet.places import write

HOST = "discovery-host"


def settings_file(folder: Path) -> Path:
    """Where the settings of a network's host of discoveries are, once it has one."""
    return folder / HOST / "settings.json"


def add_discovery_host(folder: Path) -> None:
    """Give a network its host of discoveries; a supervisor that runs starts it. Doing it again changes nothing."""
    if not settings_file(folder).exists():
        _write(folder)


def renew_discovery_host(folder: Path) -> None:
    """Have a network's host of discoveries, if it has one, take over what the host of studies was told anew."""
    if settings_file(folder).exists():
        _write(folder)


def _write(folder: Path) -> None:
    studies = load_settings(folder / "host" / "settings.json")
    write(settings_file(folder), msgspec.structs.replace(studies, work="discoveries"))
