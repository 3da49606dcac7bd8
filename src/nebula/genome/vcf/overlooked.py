"""What a lenient reading met and went on from: nothing is mended silently."""

from __future__ import annotations

import msgspec


class Overlooked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule that lines of a file break.

    Attributes:
        code: the rule's, as in errors.
        kept: whether the records stayed, for the fault is where nothing is read, or in a call that now counts as
            missing; else they were left out.
        count: how often.
        line: where first, and in ``sentence`` how.
    """

    code: str
    kept: bool
    count: int
    line: int
    sentence: str

    def __str__(self) -> str:
        fate = "kept" if self.kept else "left out"
        times = "once" if self.count == 1 else f"{self.count} times"
        return f"{self.code} broken {times}, {fate}; first in line {self.line}, {self.sentence}"


class Faults:
    """Counts the faults of a header by rule."""

    def __init__(self) -> None:
        self._found: dict[str, Overlooked] = {}

    def add(self, code: str, line: int, sentence: str) -> None:
        """Count one fault."""
        first = self._found.get(code)
        if first is None:
            self._found[code] = Overlooked(code=code, kept=True, count=1, line=line, sentence=sentence)
        else:
            self._found[code] = msgspec.structs.replace(first, count=first.count + 1)

    def all(self) -> tuple[Overlooked, ...]:
        """What was counted, in the order of first lines."""
        return tuple(self._found.values())
