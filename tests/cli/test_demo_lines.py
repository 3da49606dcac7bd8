"""What the demo prints while it goes on, on a terminal."""

import io
import time

from rich.console import Console

from nebula.cli.demo import _teller


def test_no_line_of_the_demo_lands_in_a_bar_and_none_is_left_behind() -> None:
    page = io.StringIO()
    show = Console(file=page, force_terminal=True, width=100, color_system=None, soft_wrap=True)

    with _teller(show, time.monotonic()) as teller:
        teller.count("assembling", 200, 298)  # its end is never told: a watcher sees a state now and then
        teller.say("ordered analysing 0/1")
        teller.open("The buyer opens the result, which only their key can")
        printed = page.getvalue().splitlines()

    after = page.getvalue().splitlines()[len(printed) :]
    assert any(line.endswith("         ordered analysing 0/1") for line in printed)
    assert not any("assembling" in line and "ordered" in line for line in printed)
    assert not any("assembling" in line for line in after)
