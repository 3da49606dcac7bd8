"""The order in which a record has its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls

    Item = TypeVar("Item", bound=np.generic)

#: Beyond this share of rows that move, to take all of them is faster.
_MANY = 0.25


class Order(NamedTuple):
    """Rows of a file by VariantKey, those without one at the end.

    Attributes:
        rows: of the file, as they come (rows,); none where all stand there so.
        moved: places at which another row comes than stands there in the file. Left-aligning moves few.
    """

    rows: NDArray[np.intp]
    moved: NDArray[np.intp]

    @classmethod
    def of(cls, calls: Calls) -> Order:
        """The order of calls in their record; those of one key stay as they stand."""
        if calls.ascending is not None:
            return cls(np.zeros(0, np.intp), np.zeros(0, np.intp))
        # One below it, no key, which is 0, becomes the highest of all.
        rows = np.argsort(calls.key - np.uint64(1), kind="stable")
        return cls(rows, np.flatnonzero(rows != np.arange(len(rows))))

    def bring(self, column: NDArray[Item]) -> NDArray[Item]:
        """Bring the rows of a column into this order."""
        if not len(self.moved):
            return column
        if len(self.moved) > _MANY * len(self.rows):
            return column.take(self.rows, axis=0)
        brought = column.copy()
        brought[self.moved] = column[self.rows[self.moved]]
        return brought
