"""What a result says of squares at the border of its grid, from the squares that are shown alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.structure import share_in_outermost
from nebula.disclosure.suppression import select

if TYPE_CHECKING:
    from nebula.analysis.inputs import Table

# With more of the people shown at its border, a grid does not show how they lie.
MUCH_AT_BORDER = 0.1


def told_of_borders(shown: Table) -> dict[str, str]:
    """Return the summary's ``outermost_squares`` where a grid holds many people at its border only, else nothing."""
    told = []
    for first in np.unique(shown["component_x"]).tolist():
        share = share_in_outermost(select(shown, shown["component_x"] == first))
        if share > MUCH_AT_BORDER:
            told.append(f"{share:.0%} of the people shown on components {first} and {first + 1}")
    if not told:
        return {}
    return {"outermost_squares": f"{', '.join(told)} are in the outermost squares, where everybody further out is put"}
