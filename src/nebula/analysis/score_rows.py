"""A score's row as text: ``chromosome:position:effect:other:weights``.

The other allele may be empty; one weight is that of each copy, three with commas are those of none, one and two copies.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from nebula.analysis.scoring_file import ScoreVariant

NUMBER = r"-?[0-9]{1,12}(\.[0-9]{1,17})?(e[-+]?[0-9]{1,2})?"
_SMALLEST = 1e-90
"""Weights below this are none: their exponents have three digits."""

LONGEST_ROW = 400
_PATTERN = rf"\A([1-9]|1[0-9]|2[0-2]|X|Y|MT):[1-9][0-9]{{0,8}}:[ACGT]+:[ACGT]*:{NUMBER}(,{NUMBER},{NUMBER})?\Z"
_ROW = re.compile(_PATTERN)
ScoreRow = Annotated[str, msgspec.Meta(max_length=LONGEST_ROW, pattern=_PATTERN)]


def write_row(variant: ScoreVariant) -> str:
    """Write a variant as a row, weights with nine significant digits."""
    none, one, two = (weight if abs(weight) >= _SMALLEST else 0.0 for weight in variant.weights)
    numbers = (one,) if none == 0 and two == 2 * one else (none, one, two)
    weights = ",".join(f"{number:.9g}" for number in numbers)
    return f"{variant.chromosome}:{variant.position}:{variant.effect}:{variant.other or ''}:{weights}"


def is_row(text: str) -> bool:
    """Whether a text is a row."""
    return len(text) <= LONGEST_ROW and _ROW.match(text) is not None


def parse_row(row: str) -> ScoreVariant:
    """Parse what is a row."""
    chromosome, position, effect, other, written = row.split(":")
    numbers = [float(number) for number in written.split(",")]
    none, one, two = numbers if len(numbers) > 1 else (0.0, numbers[0], 2 * numbers[0])
    return ScoreVariant(chromosome, int(position), effect, other or None, (none, one, two))
