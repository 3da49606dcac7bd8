"""Sentences that begin with a count, for the person whose file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def count_notes(counted: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """What was met at all: a sentence for each count that is not 0."""
    return tuple(f"{count:,} {sentence}" for count, sentence in counted if count)
