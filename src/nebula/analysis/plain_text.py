"""What tables of strangers have in common: lines, and decimal numbers."""

from __future__ import annotations

import math
import re

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def text_lines(text: str) -> list[str]:
    r"""The lines of a text, without their ends: ``\n`` or ``\r\n``, and nothing else that Unicode has.

    The mark that some editors begin a text with is none of it.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def decimal_number(text: str) -> float:
    """The number that a text spells in ASCII, with a point and an exponent or without; NaN where it spells none.

    It may be infinite: ``1e400`` is.
    """
    return float(text) if _DECIMAL.fullmatch(text) else math.nan
