"""How the command line speaks: results on stdout, everything else on stderr, errors with a hint."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from nebula.protocol.errors import NebulaError

WIDTH = 100
"""Tables are made for this many columns; wider terminals do not stretch them, narrower ones fold them."""

out = Console(highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True, width=None if sys.stderr.isatty() else WIDTH)


def print_error(error: NebulaError, complete: Callable[[str], str]) -> None:
    """Say what went wrong and, where known, what to do next, with the commands in it completed."""
    print(f"nebula: error: {complete(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"nebula: hint: {complete(error.hint)}", file=sys.stderr)


def print_json(value: object) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print rows under headings; the columns that ``numbers`` names are flush right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table, soft_wrap=False, width=_width(out), markup=False)


def show_facts(facts: Mapping[str, str], *, on: Console = out) -> None:
    """Print what is what, one fact a line; long ones are folded below themselves."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, fact in facts.items():
        table.add_row(name, fact)
    on.print(table, soft_wrap=False, width=_width(on), markup=False)  # a buyer's title may have brackets in it


def show_changes(before: Mapping[str, str], after: Mapping[str, str], *, on: Console = err) -> None:
    """Print what differs between two sets of facts, before and after."""
    for name, fact in after.items():
        if before[name] != fact:
            on.print(f"  {name}: {before[name]}  →  [bold]{fact}[/bold]")


def counted(number: int, what: str) -> str:
    """Return a number with its noun: ``1 payout``, ``2,504 payouts``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def short(identifier: str) -> str:
    """Return enough of an id to tell it from others, and to name it by."""
    return identifier[:12]


@contextmanager
def progress(*, on: Console = err) -> Iterator[Progress]:
    """A progress bar; silent where there is no terminal. Lines that are printed meanwhile go to the same console."""
    bar = Progress(
        TextColumn("  {task.description:<28}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=on,
        transient=True,
        disable=not on.is_terminal,
    )
    with bar:
        yield bar


@contextmanager
def steps(total: int) -> Iterator[Callable[[str, int], None]]:
    """Bars for the steps that records go through, each made when its step begins."""
    with progress() as bar:
        tasks: dict[str, object] = {}

        def told(step: str, count: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.advance(tasks[step], count)  # type: ignore[arg-type]

        yield told


@contextmanager
def reading(file: Path, what: str) -> Iterator[Callable[[int], None]]:
    """A bar for a file that is read, in bytes."""
    bar = Progress(
        TextColumn("  {task.description:<28}"),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    total = file.stat().st_size if file.is_file() else None
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _width(console: Console) -> int:
    return min(console.width, WIDTH)
