"""How the command line speaks: results on stdout, everything else on stderr, errors with a hint."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nebula.protocol.errors import NebulaError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(error: NebulaError) -> None:
    """Say what went wrong and, where known, what to do next."""
    print(f"nebula: error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"nebula: hint: {error.hint}", file=sys.stderr)


def print_json(value: object) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on stderr; silent where stderr is no terminal."""
    bar = Progress(
        TextColumn("  {task.description:<28}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    with bar:
        yield bar
