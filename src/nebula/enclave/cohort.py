"""Who belongs to the cohort: the study's conditions, and complete cases.

Columns are numbers. A category with two values becomes 0 and 1 in the order of their names; with more, it can be a
condition, but not a covariate. A number is believed in the unit that most people have; in another it is missing.

SECURITY: what fewer people have than a published cell holds is missing: a category, or numbers among categories. An
error that the tenth person decides says little about anyone; one that a single person decides is an answer about them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure.floors import MINIMUM_CELL
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nebula.clinical.phenotypes import Phenotype, PhenotypeTable
    from nebula.protocol.study import Condition

Columns = dict[str, "NDArray[np.float64]"]
_TWO = 2


def choose_cohort(
    tables: Sequence[PhenotypeTable | None], conditions: Sequence[Condition], columns: Sequence[str]
) -> tuple[NDArray[np.int64], Columns]:
    """Return who belongs to the cohort, as ascending indices, and their columns.

    Args:
        tables: each person's phenotypes; None for who offers none.
        conditions: the study's; all of them must hold. What is missing fulfils no condition.
        columns: that must be there for everyone.

    Raises:
        RejectedInputError: ``cohort.categories``, a column to be analysed has more than two categories.
    """
    by_name = [_by_name(table) for table in tables]
    inside = np.ones(len(tables), dtype=np.bool_)
    for condition in conditions:
        inside &= _holds(condition, [person.get(condition.column) for person in by_name])
    found = {name: _numbers(name, [person.get(name) for person in by_name], inside) for name in columns}
    for column in found.values():
        inside &= ~np.isnan(column)
    members = np.flatnonzero(inside)
    return members, {name: column[members] for name, column in found.items()}


def _by_name(table: PhenotypeTable | None) -> Mapping[str, Phenotype]:
    return {phenotype.name: phenotype for phenotype in table.phenotypes} if table else {}


def _holds(condition: Condition, cells: Sequence[Phenotype | None]) -> NDArray[np.bool_]:
    numbers = _numbers_in_common_unit(cells)
    with np.errstate(invalid="ignore"):
        held = np.ones(len(cells), dtype=np.bool_)
        if condition.minimum is not None:
            held &= numbers >= condition.minimum
        if condition.maximum is not None:
            held &= numbers <= condition.maximum
    if condition.equals is not None:
        held &= np.array([_equals(cell, condition.equals) for cell in cells], dtype=np.bool_)
    there = [cell is not None and (cell.number, cell.category) != (None, None) for cell in cells]
    return held & np.array(there, dtype=np.bool_)


def _equals(cell: Phenotype | None, wanted: str) -> bool:
    if cell is None:
        return False
    if cell.number is None:
        return cell.category == wanted
    try:
        return cell.number == float(wanted)
    except ValueError:
        return False


def _numbers(name: str, cells: Sequence[Phenotype | None], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    names = [cell.category if cell is not None else None for cell in cells]
    numbers = _numbers_in_common_unit(cells)
    if not any(names):
        return numbers
    counted = Counter(found for found, here in zip(names, inside, strict=True) if here and found is not None)
    categories = sorted(category for category, people in counted.items() if people >= MINIMUM_CELL)
    if not categories:
        return numbers
    if len(categories) > _TWO or np.count_nonzero(~np.isnan(numbers[inside])) >= MINIMUM_CELL:
        raise RejectedInputError(
            "cohort.categories",
            f"the column '{name}' has more than two categories, or categories and numbers",
            hint="restrict the cohort by a condition, or leave the column out",
        )
    codes = {category: float(code) for code, category in enumerate(categories)}
    return np.array([np.nan if found is None else codes.get(found, np.nan) for found in names], dtype=np.float64)


def _numbers_in_common_unit(cells: Sequence[Phenotype | None]) -> NDArray[np.float64]:
    there = [cell for cell in cells if cell is not None and cell.number is not None]
    units = Counter([cell.unit or "" for cell in there])
    # A missing number becomes NaN.
    numbers = np.array([None if cell is None else cell.number for cell in cells], dtype=np.float64)
    if len(units) > 1:
        common = min(units, key=lambda unit: (-units[unit], unit))
        other = [cell is not None and (cell.unit or "") != common for cell in cells]
        numbers[other] = np.nan
    return numbers
