import numpy as np

from nebula.portal import charts, study_charts
from nebula.portal.genome_axis import GenomeAxis
from portal.chart_values import values_of

CAPTION = charts.Caption(title="A study", people=1200)


def test_regions_stand_at_their_middle_and_hits_have_a_name() -> None:
    table = {
        "region": np.array(["GENE1", "GENE2"], object),
        "chromosome": np.array([1.0, 7.0]),
        "start": np.array([1e6, 5e6]),
        "end": np.array([3e6, 6e6]),
        "neg_log_10_p_skat_o": np.array([1.0, 6.0]),
    }
    rows = values_of(study_charts.regions(table, CAPTION))
    assert [row["name"] for row in rows if "name" in row] == ["GENE2"]
    assert any(row["y"] == -np.log10(2.5e-6) for row in rows)
    axis = GenomeAxis.of(table["chromosome"], "GRCh38")
    middles = axis.places(np.array([1, 7]), np.array([2e6, 5.5e6])).tolist()
    assert set(middles) <= {row.get("x") for row in rows}


def test_traits_keep_their_order_and_point_the_way_of_their_effect() -> None:
    table = {
        "trait": np.array(["weight", "age"], object),
        "beta": np.array([-0.2, 0.1]),
        "neg_log_10_p_value": np.array([9.0, 0.4]),
    }
    rows = [row for row in values_of(study_charts.phewas(table, CAPTION, predictor="allele G")) if "trait" in row]
    assert [(row["trait"], row["effect"], row["kind"]) for row in rows] == [
        ("weight", "lowers", "hit"),
        ("age", "raises", "other"),
    ]


def test_groups_are_as_wide_as_they_have_people() -> None:
    table = {"group": np.array([1, 2]), "people": np.array([30, 90]), "mean_score": np.array([-1.0, 1.0])}
    rows = [row for row in values_of(study_charts.score_groups(table, CAPTION)) if "to" in row]
    assert [(row["from"], row["to"]) for row in rows] == [(0.0, 25.0), (25.0, 100.0)]


def test_no_group_lies_on_the_border_and_the_mean_is_named() -> None:
    table = {"group": np.array([1, 2]), "people": np.array([30, 90]), "mean_score": np.array([-1.0, 1.0])}
    chart = study_charts.score_groups(table, CAPTION)
    assert [row for row in values_of(chart) if "remark" in row] == [{"y": 0.5, "remark": "mean"}]
    assert chart.to_dict()["layer"][-1]["encoding"]["y"]["scale"]["domain"] == [-1.1, 1.1]


def test_an_empty_table_is_a_chart_too() -> None:
    none = np.zeros(0)
    table = {"trait": none, "beta": none, "neg_log_10_p_value": none}
    charts.to_svg(study_charts.phewas(table, CAPTION, predictor="allele G"))


def test_traits_are_drawn_with_what_acts_on_them_and_what_the_line_stands_for() -> None:
    long = "a trait whose name is as long as a whole sentence"
    table = {
        "trait": np.array([long, "age"], object),
        "beta": np.array([0.2, -0.1]),
        "neg_log_10_p_value": np.array([0.0, 3.0]),
    }
    svg = charts.to_svg(study_charts.phewas(table, CAPTION, predictor="allele G of 1:12345:A:G"))
    for said in (long, "effects of allele G of 1:12345:A:G", "p = 0.05 / 2"):
        assert said in svg
