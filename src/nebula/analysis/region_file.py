"""Regions from a BED file: chromosome, start (0-based), end (not included), name."""

from __future__ import annotations

import re

from nebula.analysis.plain_text import text_lines
from nebula.genome.chromosomes import AUTOSOME
from nebula.protocol.errors import RejectedInputError

_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z")
# Counted before they are read: Python refuses to read thousands of digits.
_PLACE = re.compile(r"[0-9]{1,9}")
_COLUMNS = 4


def parse_regions(text: str) -> tuple[str, ...]:
    """Read a BED file's lines as spans of the parameters, ``name=chromosome:first-last``, 1-based, ends included.

    Lines of one name are one region. Columns behind the fourth, comments, ``browser`` and ``track`` lines say nothing.

    Raises:
        RejectedInputError: ``regions.*``, with the line.
    """
    # SECURITY: the file is a stranger's.
    found = []
    for number, line in enumerate(text_lines(text), start=1):
        if line.strip() and not line.startswith(("#", "browser", "track")):
            found.append(_parse_line(number, line.split("\t")))
    if not found:
        raise RejectedInputError("regions.empty", "there is no region")
    return tuple(found)


def _parse_line(number: int, cells: list[str]) -> str:
    if len(cells) < _COLUMNS:
        raise RejectedInputError(
            "regions.columns", f"line {number}: {len(cells)} columns; a region has chromosome, start, end and name"
        )
    chromosome, name = AUTOSOME.fullmatch(cells[0]), _NAME.match(cells[3].strip())
    if chromosome is None:
        raise RejectedInputError(
            "regions.chromosome", f"line {number}: {cells[0][:20]!r} is no autosome, chr1 to chr22"
        )
    if name is None:
        raise RejectedInputError(
            "regions.name",
            f"line {number}: {cells[3][:20]!r} is no name",
            hint="letters, digits, dot, dash, underscore",
        )
    if not (_PLACE.fullmatch(cells[1]) and _PLACE.fullmatch(cells[2])):
        raise RejectedInputError(
            "regions.position", f"line {number}: start and end are whole numbers, of 9 digits at most"
        )
    first, last = int(cells[1]) + 1, int(cells[2])
    if not first <= last < 1 << 28:
        raise RejectedInputError("regions.position", f"line {number}: the region has no base, or too many")
    return f"{name[0]}={chromosome[1]}:{first}-{last}"
