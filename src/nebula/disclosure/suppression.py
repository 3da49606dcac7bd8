"""Cell suppression: what would point at fewer than ten people is masked, and so is what would give it away.

For one variant, the published numbers are tied by two margins: the three genotype cells add up to n, and
het + 2 hom-effect is the allele count. Masking one small cell alone would be undone by subtraction, so

1. a variant with fewer than ten copies of its rarer allele, or fewer than ten people whose genotype is not the
   commonest, loses its row, and
2. a variant with a genotype cell between 1 and 9 loses all three cells, and its Hardy-Weinberg p, which is
   a function of them. What remains (n, allele count) leaves the cells one degree of freedom.

No-calls are no cell: they tell of an assay, not of a person's trait or genotype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.disclosure.floors import MINIMUM_CELL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

MASKED = -1
GENOTYPE_CELLS = ("homozygous_other", "heterozygous", "homozygous_effect")


def select(table: Table, rows: NDArray[np.bool_]) -> Table:
    """Some rows of a table."""
    return {name: column[rows] for name, column in table.items()}


def enough_copies(table: Table) -> NDArray[np.bool_]:
    """Rows whose rarer allele has enough copies, in enough people; a variant without any is left out as well.

    Were only those between 1 and 9 left out, an absent row would say that the variant is there.
    """
    return np.asarray(table["fewest"] >= MINIMUM_CELL, dtype=np.bool_)


def no_one_stands_out(table: Table) -> NDArray[np.bool_]:
    """Rows of whose estimate no single person makes up more than one of ten who are alike would."""
    if "leverage" not in table:
        return np.ones(len(next(iter(table.values()))), dtype=np.bool_)
    return np.asarray(table["leverage"] <= 1 / MINIMUM_CELL, dtype=np.bool_)


def mask_genotype_cells(table: Table) -> Table:
    """Mask all genotype cells of rows where any of them is small, and what follows from them."""
    cells = np.column_stack([table[name] for name in GENOTYPE_CELLS])
    small = ((cells > 0) & (cells < MINIMUM_CELL)).any(axis=1)
    if "smallest_cell" in table:  # in any group: one group's cells follow from the cohort's and the others'
        small |= table["smallest_cell"] < MINIMUM_CELL
    masked = {name: np.where(small, MASKED, table[name]) for name in GENOTYPE_CELLS}
    return table | masked | {"hwe_p_value": np.where(small, np.nan, table["hwe_p_value"])}


def mask_small(table: Table, name: str) -> Table:
    """Mask counts below the floor in one column, zeros too: nothing between "none" and "a few" is told apart."""
    return table | {name: np.where(table[name] < MINIMUM_CELL, MASKED, table[name])}


def enough_people(table: Table) -> Table:
    """Leave out squares with too few people, on each pair of components.

    The people left out add up to the cohort less those shown. Where they are fewer than ten, or lie in one square, the
    smallest squares shown go as well until they are not.
    """
    shown = np.ones(len(table["people"]), dtype=np.bool_)
    for first in np.unique(table["component_x"]):
        rows = np.flatnonzero(table["component_x"] == first)
        order = rows[np.argsort(table["people"][rows], kind="stable")]
        people = table["people"][order]
        gone = int((people < MINIMUM_CELL).sum())
        while 0 < gone < len(people) and (gone == 1 or people[:gone].sum() < MINIMUM_CELL):
            gone += 1
        shown[order[:gone]] = False
    return select(table, shown)


def round_significant(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Round to a number of significant decimal digits; zero and NaN stay."""
    rounded = values.copy()
    usable = np.isfinite(values) & (values != 0)
    rounded[usable] = [float(f"{value:.{digits - 1}e}") for value in values[usable].tolist()]
    return rounded
