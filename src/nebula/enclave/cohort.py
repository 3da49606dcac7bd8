"""Who belongs to the cohort: the study's conditions, and complete cases.

Columns are numbers. A category with two values becomes 0 and 1 in the order of their names; with more, it can be a
condition, but not a covariate. A number is believed in the unit that most people have; in another it is missing.

SECURITY: what fewer people have than a published cell holds is missing: a category, numbers among categories, a number
among a few that are classes, and one that lies far beyond all others'. An error that the tenth person decides says
little about anyone; one that a single person decides is an answer about them. And no record may spoil a run for all
others: an age of a trillion years would leave everybody else's unadjusted.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.people import DISCRETE_VALUES
from nebula.disclosure.floors import MINIMUM_CELL
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.enclave.columns import Column, PhenotypeColumns
    from nebula.protocol.study import Condition

Columns = dict[str, "NDArray[np.float64]"]
_TWO = 2
_ENOUGH_TO_JUDGE = 100
_FAR_BEYOND = 10.0
"""Times as far from the median as the tenth farthest: nobody is of 100,000 whose numbers are log-normal, sigma 1."""


def choose_cohort(
    phenotypes: PhenotypeColumns, conditions: Sequence[Condition], columns: Sequence[str]
) -> tuple[NDArray[np.int64], Columns]:
    """Return who belongs to the cohort, as ascending indices, and their columns.

    Args:
        phenotypes: everybody's.
        conditions: the study's; all of them must hold. What is missing fulfils no condition.
        columns: that must be there for everyone.

    Raises:
        RejectedInputError: ``cohort.categories``, a column to be analysed has more than two categories.
    """
    inside = np.ones(phenotypes.people, dtype=np.bool_)
    for condition in conditions:
        inside &= _holds(condition, phenotypes.column(condition.column))
    found = {name: _numbers(name, phenotypes.column(name), inside) for name in columns}
    for column in found.values():
        inside &= ~np.isnan(column)
    members = np.flatnonzero(inside)
    return members, {name: column[members] for name, column in found.items()}


def _holds(condition: Condition, column: Column) -> NDArray[np.bool_]:
    numbers = _numbers_in_common_unit(column)
    held = column.there
    with np.errstate(invalid="ignore"):
        if condition.minimum is not None:
            held &= numbers >= condition.minimum
        if condition.maximum is not None:
            held &= numbers <= condition.maximum
    if condition.equals is not None:
        held &= _equals(column, condition.equals)
    return held


def _equals(column: Column, wanted: str) -> NDArray[np.bool_]:
    named = np.asarray(column.category == wanted)
    try:
        return np.asarray(named | (column.number == float(wanted)))
    except ValueError:
        return named


def _numbers(name: str, column: Column, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    numbers = _numbers_in_common_unit(column)
    counted = Counter(found for found in column.category[inside].tolist() if found is not None)
    categories = sorted(category for category, people in counted.items() if people >= MINIMUM_CELL)
    if not categories:
        return _plausible(numbers, inside)
    if len(categories) > _TWO or np.count_nonzero(~np.isnan(numbers[inside])) >= MINIMUM_CELL:
        raise RejectedInputError(
            "cohort.categories",
            f"the column '{name}' has more than two categories, or categories and numbers",
            hint="restrict the cohort by a condition, or leave the column out",
        )
    codes = np.full(len(numbers), np.nan)
    for code, category in enumerate(categories):
        codes[column.category == category] = code
    return codes


def _plausible(numbers: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The numbers, without what fewer than ten of the people inside have, or have so far beyond all others."""
    judged = numbers[inside & ~np.isnan(numbers)]
    values, people = np.unique(judged, return_counts=True)
    if len(values) <= DISCRETE_VALUES:
        classes = values[people >= MINIMUM_CELL]
        return numbers if len(classes) < _TWO else np.where(np.isin(numbers, classes), numbers, np.nan)
    if len(judged) < _ENOUGH_TO_JUDGE:
        return numbers
    median = np.median(judged)
    tenth = np.partition(np.abs(judged - median), -MINIMUM_CELL)[-MINIMUM_CELL]
    return np.where(np.abs(numbers - median) <= _FAR_BEYOND * tenth, numbers, np.nan)


def _numbers_in_common_unit(column: Column) -> NDArray[np.float64]:
    there = ~np.isnan(column.number)
    units = Counter(column.unit[there].tolist())
    if len(units) <= 1:
        return column.number
    common = min(units, key=lambda unit: (-units[unit], unit))
    return np.where(column.unit == common, column.number, np.nan)
