"""Sentences that begin with a count, for the person whose file it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")


def count_notes(counted: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """What was met at all: a sentence for each count that is not 0.

    Where a sentence differs between one and several, it has both, as in ``place[|s] [has|have] none``.
    """
    return tuple(f"{count:,} {in_number(count, sentence)}" for count, sentence in counted if count)


def in_number(count: int, sentence: str) -> str:
    """A sentence about one thing, or about several."""
    return _NUMBER.sub(r"\1" if count == 1 else r"\2", sentence)
