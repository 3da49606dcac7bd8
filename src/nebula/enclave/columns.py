"""Everybody's phenotypes, column by column: what an analysis or a question looks at, and nothing else of a table."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from nebula.clinical.phenotypes import Phenotype, PhenotypeTable


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One phenotype of everybody.

    Attributes:
        number: float64 of shape (people,); NaN where a person has none.
        category: text of shape (people,); None where a person has none.
        unit: text of shape (people,), of the number; empty where it has none, and of no meaning without a number.
    """

    number: NDArray[np.float64]
    category: NDArray[Any]
    unit: NDArray[Any]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Who has a number or a category, shape (people,)."""
        return np.asarray(~np.isnan(self.number) | (self.category != None))  # noqa: E711 - each element is compared


@dataclass(slots=True)
class _Cells:
    """The cells of one column that somebody has: whose they are, and what is in them.

    Nearly all cells of a column are numbers in one unit, or are categories: what differs is kept by person.
    """

    usual_unit: str
    people: array[int] = field(default_factory=lambda: array("q"))
    number: array[float] = field(default_factory=lambda: array("d"))
    category: dict[int, str] = field(default_factory=dict)
    other_unit: dict[int, str] = field(default_factory=dict)


class PhenotypeColumns:
    """People are added one by one, in the order of the genotypes; a column is laid out when it is asked for.

    SECURITY: only cells that are there are held. A record of thousands of columns that nobody else has takes as much
    room as it has itself, not as much for each of them as there are people.

    Args:
        names: the columns to keep; None for all that anybody has.
    """

    def __init__(self, names: Iterable[str] | None = None) -> None:
        self.people = 0
        self._names = None if names is None else frozenset(names)
        self._cells: dict[str, _Cells] = {}

    def add(self, table: PhenotypeTable | None) -> None:
        """Add the next person; None is one who offers no phenotypes."""
        person, self.people = self.people, self.people + 1
        for phenotype in table.phenotypes if table is not None else ():
            cells = self._cells.get(phenotype.name) or self._begin(phenotype)
            if cells is None:
                continue
            number, category, unit = phenotype.number, phenotype.category, phenotype.unit or ""
            cells.people.append(person)
            cells.number.append(math.nan if number is None else number)
            if category is not None:
                cells.category[person] = category
            if unit != cells.usual_unit:
                cells.other_unit[person] = unit

    def _begin(self, phenotype: Phenotype) -> _Cells | None:
        """Begin the column that a cell is the first of, if it is to be kept."""
        if self._names is not None and phenotype.name not in self._names:
            return None
        return self._cells.setdefault(phenotype.name, _Cells(phenotype.unit or ""))

    def column(self, name: str) -> Column:
        """Return one column of everybody who was added; one that nobody has is missing for all."""
        cells = self._cells.get(name) or _Cells("")
        number = np.full(self.people, np.nan)
        category = np.full(self.people, None, dtype=object)
        unit = np.full(self.people, cells.usual_unit, dtype=object)
        number[np.array(cells.people)] = np.array(cells.number)
        category[list(cells.category)] = list(cells.category.values())
        unit[list(cells.other_unit)] = list(cells.other_unit.values())
        return Column(number, category, unit)
