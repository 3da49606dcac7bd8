import re

import numpy as np

from nebula.portal import charts
from nebula.portal.manhattan import MOST_NAMES, lead_variants, manhattan
from portal.chart_values import values_of


def empty_table() -> dict:
    return {name: np.zeros(0) for name in ("chromosome", "base_pair_location", "p_value")}


def test_a_manhattan_plot_is_thinned_but_keeps_every_peak(associations: dict) -> None:
    rows = values_of(manhattan(associations))
    assert len(rows) < 60_000
    assert max(row["y"] for row in rows) == 31.5
    assert [row["y"] for row in rows if row.get("kind") == "hit"] == [31.5]


def test_a_manhattan_plot_says_which_line_is_drawn_and_that_nothing_is_beyond_it() -> None:
    remarks = [row["remark"] for row in values_of(manhattan(empty_table())) if "remark" in row]
    assert sorted(remarks) == ["no variant beyond p = 5e-08", "p = 5e-08"]


def test_the_whole_genome_is_on_the_axis_however_few_the_hits() -> None:
    hit = {"chromosome": np.array([8.0]), "base_pair_location": np.array([1e8]), "p_value": np.array([1e-12])}

    svg = charts.to_svg(manhattan(hit | {"variant_id": np.array(["8_100000000_A_G"], dtype=object)}))

    labels = set(re.findall(r">([^<>]+)</text>", svg))
    assert {str(number) for number in range(1, 23)} <= labels
    assert "8:100000000:A:G" in labels
    assert "X" not in labels


def hits(*places: tuple[int, int, float]) -> dict:
    chromosome, position, logs = (np.array(column) for column in zip(*places, strict=True))
    names = np.array([f"{one}_{where}_A_G" for one, where, _ in places], dtype=object)
    return {
        "chromosome": chromosome,
        "base_pair_location": position,
        "neg_log_10_p_value": logs.astype(float),
        "variant_id": names,
    }


def test_peaks_side_by_side_each_have_a_name() -> None:
    table = hits(
        (1, 982_112, 41), (1, 116_579_508, 27), (2, 17_515_306, 12), (22, 50_000_000, 8), (22, 49_000_000, 7.9)
    )

    named = [row["name"] for row in values_of(manhattan(table)) if "name" in row]

    assert named == ["1:982112:A:G", "1:116579508:A:G", "2:17515306:A:G", "22:50000000:A:G", "22:49000000:A:G"]


def test_a_locus_is_named_after_its_strongest_hit() -> None:
    table = hits((1, 1_000_000, 9), (1, 1_400_000, 20), (1, 1_900_001, 12), (2, 1_400_000, 10), (3, 5, 2))

    leads = lead_variants(table, table["neg_log_10_p_value"], limit=7.3, locus_bp=500_000)

    assert leads == [1, 2, 3]


def test_a_plot_with_more_loci_than_names_says_so() -> None:
    table = hits(*((1 + place % 22, 10**6 * (1 + place), 60 - place / 2) for place in range(60)))

    chart = manhattan(table)

    named = {row["name"] for row in values_of(chart) if "name" in row}
    assert 20 <= len(named) <= MOST_NAMES
    assert "1:1000000:A:G" in named
    assert f"{len(named)} of 60 loci are named, the strongest first" in chart.title.subtitle
