"""Who listens to a story as it goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Teller:
    """Who listens: steps, sentences, the numbers of a long step; keeps how long each step took."""

    open: Callable[[str], None]
    say: Callable[[str], None]
    count: Callable[[str, int, int], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, sentence: str) -> Iterator[None]:
        """Announce a step, and time it."""
        self.open(sentence)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)
