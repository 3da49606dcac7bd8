"""What others wrote is printed as they wrote it."""

import io

import pytest
from rich.console import Console

from nebula.cli import console
from nebula.cli.console import show_facts, show_table


@pytest.mark.parametrize("title", ["Height [pilot]", "[bold]Height", "Height [/bold]", "[red on red]hidden[/]"])
def test_brackets_in_a_title_are_neither_swallowed_nor_obeyed(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Console(file=io.StringIO(), width=100)
    monkeypatch.setattr("nebula.cli.console.out", said)
    show_facts({"title": title}, on=said)
    show_table(("title",), [(title,)])
    assert isinstance(said.file, io.StringIO)
    assert said.file.getvalue().count(title) == 2


def test_a_variant_is_no_picture() -> None:
    """``:100:`` is the name of an emoji."""
    with console.out.capture() as written:
        show_facts({"variant": "1:100:A:C"}, on=console.out)
        show_table(("variant",), [("1:100:A:C",)])
    assert written.get().count("1:100:A:C") == 2
