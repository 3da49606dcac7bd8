import re
from collections.abc import Callable

import altair as alt
import numpy as np
import pytest

from nebula.analysis import report
from nebula.portal import charts
from nebula.portal.genome_axis import GenomeAxis


def test_thinning_moves_no_point_by_more_than_a_pixel() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.random(20_000), rng.random(20_000)
    kept = charts.thinned(x, y, width=30, height=20)
    assert len(kept) <= 46 * 31
    for row in range(0, 20_000, 500):
        near = (np.abs(x[kept] - x[row]) < 1 / 30) & (np.abs(y[kept] - y[row]) < 1 / 20)
        assert near.any()


def test_either_column_of_p_gives_the_same_plot(associations: dict) -> None:
    written = dict(associations)
    written["p_value"] = 10.0 ** -written.pop("neg_log_10_p_value")
    np.testing.assert_allclose(charts.logarithms(written), charts.logarithms(associations), atol=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: charts.qq(report.qq_quantiles(np.zeros(0))),
        lambda: charts.qq(report.qq_quantiles(-np.log10(np.linspace(1e-4, 1, 500)))),
        lambda: charts.components(np.random.default_rng(2).standard_normal((300, 3)), ["AFR", "EUR", "EAS"] * 100),
    ],
)
def test_every_chart_renders_and_asks_nothing_of_the_network(make: Callable[[], alt.TopLevelMixin]) -> None:
    chart = make()
    svg = charts.to_svg(chart)
    assert charts.to_png(chart, scale=1).startswith(b"\x89PNG")
    links = set(re.findall(r"https?://[^\"' ]+", svg))
    assert links <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_chart_says_whom_it_is_about_and_what_is_not_real() -> None:
    curve = report.qq_quantiles(-np.log10(np.linspace(1e-3, 1, 300)))
    caption = charts.Caption(title="Which variants act?", people=2502, lambda_gc=1.2341, simulated=True)

    svg = charts.to_svg(charts.qq(curve, caption))

    for said in ("Which variants act?", "n = 2,502", "λ = 1.234", "GRCh38", "SIMULATED"):
        assert said in svg


def test_a_place_on_the_axis_is_inside_its_chromosome() -> None:
    axis = GenomeAxis.of(np.array([1, 23]), "GRCh38")
    starts = axis.places(np.array([1, 2, 23]), np.array([1, 1, 1]))
    ends = axis.places(np.array([1, 2, 23]), np.array([248_956_422, 242_193_529, 156_040_895]))

    assert starts[0] < ends[0] < starts[1] < ends[1] < starts[2] < ends[2] <= axis.end


def test_the_band_is_that_of_order_statistics_of_uniform_p_values() -> None:
    count = 40
    expected = report.qq_quantiles(np.zeros(count))["expected"]

    low, high = charts.expected_band(np.round(expected, 4))

    drawn = -np.log10(np.sort(np.random.default_rng(5).random((20_000, count)), axis=1))
    ranks = np.round((count + 1) * 10.0**-expected).astype(int)
    inside = (drawn[:, ranks - 1] >= low) & (drawn[:, ranks - 1] <= high)
    np.testing.assert_allclose(inside.mean(axis=0), 0.95, atol=0.008)


@pytest.mark.parametrize("count", [1, 2, 10_000_000])
def test_the_band_holds_the_diagonal_however_many_tests_there_are(count: int) -> None:
    ranks = np.unique(np.geomspace(1, count, 50).round())
    expected = np.sort(-np.log10(ranks / (count + 1)))
    low, high = charts.expected_band(expected)
    assert np.isfinite([low, high]).all()
    assert (low < expected).all()
    assert (expected < high).all()


def test_a_label_stands_at_its_tick() -> None:
    svg = charts.to_svg(charts.qq(report.qq_quantiles(-np.log10(np.linspace(1e-3, 1, 300)))))
    assert re.search(r'text-anchor="(start|end)" transform="[^"]*"[^>]*>0\.0<', svg.partition("expected")[0]) is None
