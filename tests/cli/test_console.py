"""How facts are printed: what others wrote is shown as they wrote it, and is no markup."""

import pytest
from rich.console import Console

from nebula.cli.console import show_facts


@pytest.mark.parametrize("written", ["[/x]", "[red]mine[/red]", "[link=https://example.org]paid[/link]"])
def test_facts_are_printed_as_they_stand(written: str) -> None:
    console = Console(width=100)
    with console.capture() as shown:
        show_facts({"label": written}, on=console)
    assert written in shown.get()
