"""Phenotypes of many people from a table of tab-separated text, one line a person.

What is no value (an empty cell, a spreadsheet's ``#REF!``), and text or a number that no person can have where numbers
belong, becomes missing, and the report says where and how often. Nothing is guessed into a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import msgspec

from nebula.clinical.cells import has_value, kind_of, number_in
from nebula.clinical.columns import LeftOut, choose_columns
from nebula.clinical.phenotypes import (
    LONGEST_CATEGORY,
    LONGEST_NAME,
    MAX_COLUMNS,
    Kind,
    Phenotype,
    PhenotypeTable,
    is_plain,
)
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import BinaryIO

_LARGEST_BYTES = 1 << 30


class ColumnReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one column was read.

    ``missing`` counts cells without a value, ``unreadable`` text where a number belongs, from
    ``first_unreadable_line`` on.
    """

    name: str
    kind: Kind
    values: int
    missing: int
    unreadable: int
    first_unreadable_line: int | None = None


@dataclass(frozen=True, slots=True)
class PhenotypeSheet:
    """Tables by sample name, how each column was read, and which are no phenotypes."""

    tables: dict[str, PhenotypeTable]
    columns: tuple[ColumnReport, ...]
    left_out: tuple[LeftOut, ...]
    sample_column: str


def read_phenotypes(
    file: BinaryIO,
    *,
    samples: Collection[str],
    name: str = "the table",
    sample_column: str | None = None,
    wanted: Collection[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    units: Mapping[str, str] | None = None,
) -> PhenotypeSheet:
    """Read a table whose first line names its columns.

    Args:
        file: open, binary; UTF-8.
        samples: the people that are wanted; lines of others are left out.
        name: of the table, for errors.
        sample_column: which column names the person; by default the one that names most of ``samples``.
        wanted: the columns that are phenotypes; by default those that could be, and single nobody out.
        kinds: of columns that are not to be inferred.
        units: of columns, by name.

    Raises:
        RejectedInputError: ``phenotypes.*`` with the line.
    """
    header, rows = _read_cells(file, name)
    key = _sample_column(header, rows, samples, sample_column, name)
    people: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for line, cells in enumerate(rows, start=2):
        person = cells[key].strip()
        if person in people:
            _refuse("duplicate-sample", f"{name}, line {line}: the sample of line {lines[person]} stands again")
        people[person], lines[person] = cells, line
    known = set(samples)
    brought = {person: cells for person, cells in people.items() if person in known}
    if not brought:
        _refuse("no-samples", f"{name}: no line is about any of the {len(samples)} samples")
    chosen = choose_columns(header, rows, key=key, people=brought, wanted=wanted, name=name)
    found: dict[str, list[Phenotype]] = {person: [] for person in brought}
    reports = []
    for index in chosen.taken:
        column = {person: cells[index].strip() for person, cells in brought.items()}
        kind = (kinds or {}).get(header[index]) or kind_of(column.values())
        reports.append(_read_column(header[index], kind, column, lines, units or {}, found))
    tables = {person: PhenotypeTable(phenotypes=tuple(phenotypes)) for person, phenotypes in found.items()}
    return PhenotypeSheet(tables, tuple(reports), chosen.left_out, header[key])


def _read_cells(file: BinaryIO, name: str) -> tuple[list[str], list[list[str]]]:
    raw = file.read(_LARGEST_BYTES + 1)
    if len(raw) > _LARGEST_BYTES:
        _refuse("too-large", f"{name}: more than {_LARGEST_BYTES} bytes")
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        _refuse("encoding", f"{name}: byte {error.start} is not UTF-8", hint="save the table as UTF-8 text")
    if not lines:
        _refuse("empty", f"{name}: the table is empty")
    header = [column.strip() for column in lines[0].split("\t")]
    if "" in header or len(set(header)) != len(header):
        _refuse("columns", f"{name}, line 1: a column's name is empty or stands twice")
    if len(header) > MAX_COLUMNS:
        _refuse("columns", f"{name}, line 1: {len(header):,} columns; at most {MAX_COLUMNS:,} are read")
    for number, column in enumerate(header, start=1):
        if len(column) > LONGEST_NAME or not is_plain(column):
            _refuse(
                "columns",
                f"{name}, line 1: the name of column {number} is longer than {LONGEST_NAME} characters, "
                "or has some that cannot be seen",
            )
    rows = [line.split("\t") for line in lines[1:]]
    for number, cells in enumerate(rows, start=2):
        if len(cells) != len(header):
            _refuse("columns", f"{name}, line {number}: {len(cells)} cells where line 1 has {len(header)}")
    return header, rows


def _sample_column(
    header: list[str], rows: list[list[str]], samples: Collection[str], wanted: str | None, name: str
) -> int:
    if wanted is not None:
        if wanted not in header:
            _refuse("columns", f"{name}, line 1: there is no column {wanted!r}")
        return header.index(wanted)
    known = set(samples)
    hits = [sum(cells[index].strip() in known for cells in rows) for index in range(len(header))]
    if not any(hits):
        _refuse("no-samples", f"{name}: no column names any of the {len(known)} samples", hint="name the column")
    return hits.index(max(hits))


def _read_column(  # noqa: PLR0917
    name: str,
    kind: Kind,
    column: dict[str, str],
    lines: dict[str, int],
    units: Mapping[str, str],
    found: dict[str, list[Phenotype]],
) -> ColumnReport:
    missing, unreadable = 0, []
    for person, cell in column.items():
        number = category = None
        if not has_value(cell):
            missing += 1
        elif kind == "number":
            number = number_in(cell)
        elif len(cell) <= LONGEST_CATEGORY and is_plain(cell):
            category = cell
        if has_value(cell) and number is None and category is None:
            unreadable.append(lines[person])
        unit = units.get(name) if kind == "number" else None
        found[person].append(Phenotype(name=name, kind=kind, unit=unit, number=number, category=category))
    return ColumnReport(
        name=name,
        kind=kind,
        values=len(column) - missing - len(unreadable),
        missing=missing,
        unreadable=len(unreadable),
        first_unreadable_line=min(unreadable, default=None),
    )


def _refuse(code: str, sentence: str, *, hint: str | None = None) -> NoReturn:
    raise RejectedInputError(f"phenotypes.{code}", sentence, hint=hint)
