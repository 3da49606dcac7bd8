"""GWAS-SSF 1.0 tables, read strictly: our own and other people's.

Source: Hayhurst et al., Cell Genomics 2 (2022). Columns may come in any order; others are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

REQUIRED = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "standard_error")
_ABSENT = frozenset({"#NA", "NA", ""})
_MOST_CHROMOSOME = 25


def parse_gwas_ssf(text: str) -> Table:
    """Read what a meta-analysis needs of a table of associations.

    Returns:
        ``REQUIRED`` columns, and ``effect_allele_frequency`` and ``n``, NaN where the table does not say. Rows without
        estimate or standard error are left out.

    Raises:
        RejectedInputError: ``ssf.*``, with the line; a column is missing, a cell is no number, a variant stands there
            twice.
    """
    # SECURITY: the file is a stranger's.
    header, *lines = text.splitlines() or [""]
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
    table: Table = {name: _numbers(name, rows, names) for name in ("beta", "standard_error")}
    table |= {name: _numbers(name, rows, names) for name in ("effect_allele_frequency", "n")}
    table |= {name: _whole(name, rows) for name in ("chromosome", "base_pair_location")}
    table |= {name: np.array([row[name].upper() for row in rows], dtype=object) for name in REQUIRED[2:4]}
    if (table["standard_error"] <= 0).any():
        first = 2 + int(np.flatnonzero(table["standard_error"] <= 0)[0])
        raise RejectedInputError("ssf.standard-error", f"line {first}: a standard error is above zero")
    _check_variants(table)
    usable = np.isfinite(table["beta"]) & np.isfinite(table["standard_error"])
    return {name: column[usable] for name, column in table.items()}


def _numbers(name: str, rows: Sequence[dict[str, str]], names: Sequence[str]) -> NDArray[np.float64]:
    if name not in names:
        return np.full(len(rows), np.nan)
    out = np.empty(len(rows))
    for index, row in enumerate(rows):
        try:
            out[index] = np.nan if row[name] in _ABSENT else float(row[name])
        except ValueError:
            raise RejectedInputError("ssf.number", f"line {index + 2}: {name} is {row[name][:40]!r}") from None
        if np.isinf(out[index]):
            raise RejectedInputError("ssf.number", f"line {index + 2}: {name} is not finite")
    return out


def _whole(name: str, rows: Sequence[dict[str, str]]) -> NDArray[np.int64]:
    for index, row in enumerate(rows):
        if not (row[name].isascii() and row[name].isdigit()) or len(row[name]) > 10:  # noqa: PLR2004 - no position
            raise RejectedInputError(
                "ssf.number",
                f"line {index + 2}: {name} is {row[name][:40]!r}, not a whole number",
                hint="GWAS-SSF numbers chromosomes 1 to 25",
            )
    return np.array([int(row[name]) for row in rows], dtype=np.int64)


def _check_variants(table: Table) -> None:
    if ((table["chromosome"] < 1) | (table["chromosome"] > _MOST_CHROMOSOME)).any():
        raise RejectedInputError("ssf.chromosome", "a chromosome is not one of 1 to 25")
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
