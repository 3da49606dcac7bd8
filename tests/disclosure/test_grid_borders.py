import numpy as np
import pytest

from nebula.analysis.structure import people_on_squares
from nebula.disclosure.grid_borders import told_of_borders


@pytest.mark.parametrize("border", [(-16.0, 0.0), (400.0, 0.0), (0.0, -17.2), (3.0, 15.5)])
def test_many_people_at_any_border_are_told(border: tuple[float, float]) -> None:
    table = people_on_squares(np.array([border] * 25 + [(0.0, 0.0)] * 75), 3)
    assert told_of_borders(table) == {
        "outermost_squares": "25% of the people shown on components 3 and 4 are in the outermost squares, "
        "where everybody further out is put"
    }


def test_a_tenth_at_the_border_and_less_is_not_told() -> None:
    assert told_of_borders(people_on_squares(np.array([(-20.0, 0.0)] * 10 + [(14.9, -15.0)] * 90), 1)) == {}


def test_where_nothing_is_shown_nothing_is_told() -> None:
    assert told_of_borders(people_on_squares(np.zeros((0, 2)), 1)) == {}
