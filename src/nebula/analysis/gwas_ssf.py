"""GWAS-SSF 1.0 tables, read strictly: our own and other people's.

Source: Hayhurst et al., Cell Genomics 2 (2022). Columns may come in any order; others are not looked at. Numbers are
such as can be: people above 0, frequencies from 0 to 1, and effects and standard errors whose squares' squares are
still numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.plain_text import decimal_number, text_lines
from nebula.analysis.scoring_file import LAST_POSITION
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

REQUIRED = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "standard_error")
_ABSENT = frozenset({"#NA", "NA", "NaN", "nan", ""})
_WHOLE = re.compile(r"[0-9]{1,10}")
_MOST_CHROMOSOME = 25
_LARGEST = 1e30
#: What the numbers of a column are, and the least and the most of them.
_RANGES = {
    "beta": (f"an effect, up to {_LARGEST}", -_LARGEST, _LARGEST),
    "standard_error": (f"a standard error, from {1 / _LARGEST} to {_LARGEST}", 1 / _LARGEST, _LARGEST),
    "effect_allele_frequency": ("a frequency, from 0 to 1", 0.0, 1.0),
    "n": ("a number of people, above 0", np.nextafter(0.0, 1.0), _LARGEST),
}


def parse_gwas_ssf(text: str) -> Table:
    """Read what a meta-analysis needs of a table of associations.

    Returns:
        ``REQUIRED`` columns, and ``effect_allele_frequency`` and ``n``, NaN where the table does not say. Rows without
        estimate or standard error are left out.

    Raises:
        RejectedInputError: ``ssf.*``, with the line; a column is missing, a cell is no number or one that cannot be, a
            variant stands there twice.
    """
    # SECURITY: the file is a stranger's.
    header, *lines = text_lines(text) or [""]
    names = header.split("\t")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RejectedInputError(
            "ssf.columns",
            f"line 1: no column {missing[0]}",
            hint="a GWAS-SSF table with beta and standard_error; odds ratios as their logarithm",
        )
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = line.split("\t")
        if len(cells) != len(names):
            raise RejectedInputError("ssf.row", f"line {number}: {len(cells)} cells under {len(names)} columns")
        rows.append(dict(zip(names, cells, strict=True)))
    table: Table = {name: _numbers(name, rows, names) for name in _RANGES}
    table["chromosome"] = _whole("chromosome", rows, most=_MOST_CHROMOSOME, hint="X is 23, Y 24, MT 25")
    table["base_pair_location"] = _whole("base_pair_location", rows, most=LAST_POSITION)
    table |= {name: np.array([row[name].upper() for row in rows], dtype=object) for name in REQUIRED[2:4]}
    _check_variants(table)
    usable = np.isfinite(table["beta"]) & np.isfinite(table["standard_error"])
    return {name: column[usable] for name, column in table.items()}


def _numbers(name: str, rows: Sequence[dict[str, str]], names: Sequence[str]) -> NDArray[np.float64]:
    if name not in names:
        return np.full(len(rows), np.nan)
    kind, least, most = _RANGES[name]
    out = np.empty(len(rows))
    for line, row in enumerate(rows, start=2):
        text = row[name]
        found = np.nan if text in _ABSENT else decimal_number(text)
        if text not in _ABSENT and not least <= found <= most:
            raise RejectedInputError("ssf.number", f"line {line}: {name} is {text[:40]!r}, not {kind}")
        out[line - 2] = found
    return out


def _whole(name: str, rows: Sequence[dict[str, str]], *, most: int, hint: str | None = None) -> NDArray[np.int64]:
    out = np.empty(len(rows), dtype=np.int64)
    for line, row in enumerate(rows, start=2):
        text = row[name]
        found = int(text) if _WHOLE.fullmatch(text) else 0
        if not 0 < found <= most:
            what = f"{name} is {text[:40]!r}, not a whole number from 1 to {most}"
            raise RejectedInputError("ssf.number", f"line {line}: {what}", hint=hint)
        out[line - 2] = found
    return out


def _check_variants(table: Table) -> None:
    seen: dict[tuple[int, int, frozenset[str]], int] = {}
    parts = (table[name].tolist() for name in REQUIRED[:4])
    for line, (chromosome, position, effect, other) in enumerate(zip(*parts, strict=True), start=2):
        if effect == other or not effect or not other:
            raise RejectedInputError(
                "ssf.alleles", f"line {line}: effect and other allele are {effect!r} and {other!r}"
            )
        before = seen.setdefault((chromosome, position, frozenset((effect, other))), line)
        if before != line:
            raise RejectedInputError("ssf.twice", f"line {line}: the same variant as in line {before}")
