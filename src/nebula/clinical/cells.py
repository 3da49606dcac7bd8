"""What a cell of a table says: nothing, a number, or a text."""

import re
from collections.abc import Iterable

from nebula.clinical.phenotypes import Kind, is_measurable

#: Cells that say nothing, in any case of letters; ``#`` begins a spreadsheet's errors.
_NO_VALUE = frozenset({"", ".", "-", "na", "n/a", "nan", "none", "null", "unknown"})
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
#: A column is one of numbers where at least this share of its values are.
_MOSTLY = 0.9


def has_value(cell: str) -> bool:
    """Whether a cell says anything."""
    return cell.lower() not in _NO_VALUE and not cell.startswith("#")


def number_in(cell: str) -> float | None:
    """Return the number that a cell says, or None."""
    if not _NUMBER.fullmatch(cell) or not is_measurable(float(cell)):
        return None
    return float(cell)


def kind_of(cells: Iterable[str]) -> Kind:
    """Return what a column is of: numbers where at least 90 % of its values are."""
    values = [cell for cell in cells if has_value(cell)]
    numbers = sum(number_in(cell) is not None for cell in values)
    return "number" if values and numbers >= _MOSTLY * len(values) else "category"
