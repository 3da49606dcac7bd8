import json

import altair as alt
import numpy as np

from nebula.analysis.report import parse_tsv, to_tsv
from nebula.analysis.structure import people_on_squares
from nebula.portal import charts
from nebula.portal.squares import squares

CAPTION = charts.Caption(title="How do people lie?", people=1000)


def drawn(places: np.ndarray, first: int = 1, *, step: float = 0.5) -> dict[str, alt.Chart | alt.LayerChart]:
    table = parse_tsv(to_tsv(people_on_squares(places / step, first)))
    return squares(table, CAPTION, step=step, unit="standard deviations")


def rows_of(chart: alt.TopLevelMixin) -> list[dict]:
    return [row for rows in json.loads(chart.to_json())["datasets"].values() for row in rows]


def test_a_square_lies_where_its_people_are_in_the_units_of_its_side() -> None:
    (chart,) = drawn(np.array([[-1.2, 0.6]] * 30)).values()
    assert rows_of(chart) == [{"x": -1.5, "x2": -1.0, "y": 0.5, "y2": 1.0, "people": 30}]
    assert "component 1, in standard deviations" in charts.to_svg(chart)


def test_each_pair_of_components_is_a_chart() -> None:
    tables = [people_on_squares(np.zeros((20, 2)), first) for first in (1, 3)]
    table = {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
    made = squares(table, CAPTION, step=1.0, unit="units")
    assert list(made) == ["components_1_2", "components_3_4"]
    assert "component 4, in units" in charts.to_svg(made["components_3_4"])


def test_a_chart_says_how_many_people_it_shows() -> None:
    (chart,) = drawn(np.zeros((940, 2))).values()
    svg = charts.to_svg(chart)
    assert "n = 1,000" in svg
    assert "940 of 1,000 people are shown" in svg
    assert "outermost" not in svg


def test_a_pile_at_the_border_is_told() -> None:
    (chart,) = drawn(np.array([[100.0, 0.0]] * 30 + [[0.0, 0.0]] * 70)).values()
    assert "30% of them in the outermost squares, where everybody further out is put" in charts.to_svg(chart)


def test_without_squares_there_is_no_chart() -> None:
    assert drawn(np.zeros((0, 2))) == {}
