"""What others wrote is printed as they wrote it."""

import io

import pytest
from rich.console import Console

from nebula.cli.console import show_facts, show_table


@pytest.mark.parametrize("title", ["Height [pilot]", "[bold]Height", "Height [/bold]", "[red on red]hidden[/]"])
def test_brackets_in_a_title_are_neither_swallowed_nor_obeyed(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Console(file=io.StringIO(), width=100)
    monkeypatch.setattr("nebula.cli.console.out", said)
    show_facts({"title": title}, on=said)
    show_table(("title",), [(title,)])
    assert isinstance(said.file, io.StringIO)
    assert said.file.getvalue().count(title) == 2
