"""Commands that people are told to type next, completed so that they can be pasted as they stand.

Whoever tells one, be it a vault that knows nothing of command lines, writes the plain command between backticks.
Here it gets the options that say which network, vault or buyer is meant, and the program's name as it was typed.
"""

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from cyclopts import App
from rich.markup import escape

from nebula.cli.console import err

_NAME = "nebula"
_COMMAND = re.compile(rf"`{_NAME} ([^`]+)`")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command was given.

    Attributes:
        app: the tree of commands, to know which options each takes.
        said: the options that say which network, vault or buyer, with their values.
        folder: the network on this machine that was meant, if a command is about one.
    """

    app: App
    said: Mapping[str, Path] = field(default_factory=dict)
    folder: Path | None = None

    def complete(self, sentence: str) -> str:
        """Return a sentence with each command in it completed."""
        return _COMMAND.sub(lambda found: f"`{self.command(found[1])}`", sentence)

    def command(self, words: str) -> str:
        """Return a command completed; ``words`` are what comes after ``nebula``."""
        return f"{program()} {words}{self._missing(shlex.split(words))}"

    def _missing(self, words: list[str]) -> str:
        _, apps, _ = self.app.parse_commands(words)
        if apps[-1].default_command is None or "--help" in words:
            return ""
        takes = {name for argument in apps[-1].assemble_argument_collection() for name in argument.names}
        missing = [(name, path) for name, path in self.said.items() if name in takes and name not in words]
        return "".join(f" {name} {shlex.quote(str(path))}" for name, path in missing)


_here: ContextVar[Place] = ContextVar("place")


def stand(place: Place) -> None:
    """Say where the command that runs now was given."""
    _here.set(place)


def complete(sentence: str) -> str:
    """Return a sentence with each command in it completed for where this one was given."""
    return _here.get().complete(sentence)


def command(words: str) -> str:
    """Return a command completed for where this one was given; ``words`` are what comes after ``nebula``."""
    return _here.get().command(words)


def network_folder() -> Path | None:
    """Return the network on this machine that the command is about, if it is about one."""
    return _here.get().folder


def tell(sentence: str) -> None:
    """Tell a person, on standard error, what to do next."""
    err.print(escape(complete(sentence)))


def program() -> str:
    """Return what to type for ``nebula``: its name where a shell finds it, else the path that was typed."""
    typed = Path(sys.argv[0])
    found = shutil.which(_NAME)
    if typed.name != _NAME or (found is not None and Path(found).resolve() == typed.resolve()):
        return _NAME
    return shlex.quote(str(typed))
