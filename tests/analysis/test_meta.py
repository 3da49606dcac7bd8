import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.gwas_ssf import parse_gwas_ssf
from nebula.analysis.meta import combine, meta_analyse
from nebula.protocol.errors import RejectedInputError

HEADER = "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\teffect_allele_frequency\tn"


def run(*rows: str) -> dict:
    return parse_gwas_ssf("\n".join([HEADER, *(row.replace(" ", "\t") for row in rows)]) + "\n")


@pytest.mark.parametrize("studies", [2, 3, 8])
def test_estimates_are_those_of_statsmodels(studies: int) -> None:
    peer = pytest.importorskip("statsmodels.stats.meta_analysis")
    rng = np.random.default_rng(studies)
    errors = rng.uniform(0.05, 0.4, (30, studies))
    betas = 0.2 + rng.standard_normal((30, studies)) * errors * 1.5
    found = combine(betas, errors)
    for row in range(30):
        theirs = peer.combine_effects(betas[row], errors[row] ** 2, method_re="chi2")
        frame = theirs.summary_frame()
        # The peer lets a variance between studies be negative; by the paper it is then 0, and effects are fixed.
        random = "random effect" if theirs.tau2 >= 0 else "fixed effect"
        for ours, name in (("", "fixed effect"), ("_random", random)):
            beta, error = getattr(found, f"beta{ours}")[row], getattr(found, f"standard_error{ours}")[row]
            np.testing.assert_allclose([beta, error], frame.loc[name, ["eff", "sd_eff"]].astype(float), rtol=1e-9)
        assert found.q[row] == pytest.approx(theirs.q)
        assert found.i_squared[row] == pytest.approx(max(0.0, theirs.i2), abs=1e-12)
        assert found.tau_squared[row] == pytest.approx(max(0.0, theirs.tau2))
        assert found.heterogeneity_p[row] == pytest.approx(theirs.test_homogeneity().pvalue)


def test_one_study_is_itself_and_says_nothing_of_others() -> None:
    found = combine(np.array([[0.3, np.nan]]), np.array([[0.1, np.nan]]))
    assert (found.beta[0], found.standard_error[0], found.studies[0]) == (0.3, pytest.approx(0.1), 1)
    assert found.beta_random[0] == pytest.approx(0.3)
    assert np.isnan(found.q[0])
    assert np.isnan(found.i_squared[0])


@given(st.permutations(range(4)))
def test_the_order_of_studies_changes_nothing(order: list[int]) -> None:
    rng = np.random.default_rng(0)
    betas, errors = rng.standard_normal((5, 4)), rng.uniform(0.1, 1, (5, 4))
    one, other = combine(betas, errors), combine(betas[:, order], errors[:, order])
    np.testing.assert_allclose(one.beta, other.beta)
    np.testing.assert_allclose(one.q, other.q)


def test_alleles_are_brought_together() -> None:
    first = run("1 100 A G 0.5 0.1 0.3 1000", "1 200 A T 0.5 0.1 0.3 1000", "2 5 C T 0.1 0.1 0.2 1000")
    swapped = run("1 100 G A -0.5 0.1 0.7 3000", "1 200 T A -0.5 0.1 0.7 1000", "3 5 C T 0.1 0.1 0.2 500")
    flipped = run("1 100 T C 0.5 0.1 0.3 1000", "1 200 T A 0.5 0.1 0.3 1000", "2 5 A G -0.1 0.1 0.8 500")
    found = meta_analyse([first, swapped, flipped])
    rows = {name: index for index, name in enumerate(found.table["variant_id"].tolist())}
    assert list(rows) == ["1_100_G_A", "1_200_T_A", "2_5_T_C", "3_5_T_C"]
    assert found.table["beta"][rows["1_100_G_A"]] == pytest.approx(0.5)
    assert found.table["direction"].tolist() == ["+++", "++?", "+?+", "?+?"]
    assert found.table["n"].tolist() == [5000, 2000, 1500, 500]
    assert found.table["effect_allele_frequency"][0] == pytest.approx(0.3)
    assert found.report[1] == {"matched": 0, "swapped": 2, "flipped": 0, "first": 1, "ambiguous": 0}
    assert found.report[2] == {"matched": 0, "swapped": 0, "flipped": 2, "first": 0, "ambiguous": 1}
    assert meta_analyse([first, swapped, flipped], minimum_studies=3).table["studies"].tolist() == [3]


def test_a_palindrome_without_frequencies_is_not_believed() -> None:
    one = run("1 200 A T 0.5 0.1 #NA 1000")
    found = meta_analyse([one, one])
    assert found.report[1]["ambiguous"] == 1
    assert found.table["studies"].tolist() == [1]


@pytest.mark.parametrize(
    ("first", "second", "believed"),
    [
        (0.3, 0.3, True),
        (0.3, 0.45, True),
        (0.3, 0.55, False),
        (0.45, 0.45, False),
        (0.45, 0.5, False),
        (0.9, 0.1, False),
    ],
)
def test_a_palindrome_is_believed_where_frequencies_fit_one_strand_alone(
    first: float, second: float, believed: bool
) -> None:
    for change in ("A T", "C G"):
        runs = [run(f"1 200 {change} 0.5 0.1 {frequency} 1000") for frequency in (first, second)]
        assert meta_analyse(runs).report[1]["matched"] == believed
        assert meta_analyse(runs).report[1]["ambiguous"] == (not believed)


CELLS = {"chromosome": "1", "base_pair_location": "5", "effect_allele": "A", "other_allele": "G"} | {
    "beta": "0.1",
    "standard_error": "0.1",
    "effect_allele_frequency": "0.3",
    "n": "9",
}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("chromosome", value) for value in ("0", "26", "X", "chr1", "1_0", "")),
        *(("base_pair_location", value) for value in ("0", "-1", "1.0", "1_0", "268435456", "\u0661", "")),
        *(("beta", value) for value in ("1e31", "-1e300", "1_0", "\u0661", "Infinity")),
        *(("standard_error", value) for value in ("0", "-1", "1e-200", "1e200")),
        *(("effect_allele_frequency", value) for value in ("1.5", "-0.1")),
        *(("n", value) for value in ("0", "-5", "1e400", "many")),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_line_and_column(column: str, value: str) -> None:
    rows = [CELLS | {"base_pair_location": "4"}, CELLS | {column: value}]
    text = "\n".join(["\t".join(CELLS), *("\t".join(row.values()) for row in rows)])
    with pytest.raises(RejectedInputError, match=f"^line 3: {column} is ") as refusal:
        parse_gwas_ssf(text)
    assert refusal.value.code == "ssf.number"


@pytest.mark.parametrize("error", ["1e-30", "1e30"])
def test_the_smallest_and_the_largest_standard_error_still_give_numbers(error: str) -> None:
    runs = [run(f"1 5 A G {beta} {error} 0.3 9") for beta in ("1e30", "-1e30")]
    table = meta_analyse(runs).table
    assert all(np.isfinite(table[name]).all() for name in ("beta", "standard_error", "cochran_q", "beta_random"))


def test_lines_end_with_line_feeds_alone() -> None:
    row = "\t".join(CELLS.values())
    assert len(parse_gwas_ssf("\ufeff" + "\t".join([*CELLS, "note"]) + f"\r\n{row}\ta\u2028b\r\n")["n"]) == 1


def test_rows_without_an_estimate_are_left_out_and_columns_may_come_in_any_order() -> None:
    text = "beta\tchromosome\tother_allele\teffect_allele\tbase_pair_location\tstandard_error\tp_value\trsid\n"
    table = parse_gwas_ssf(text + "0.1\t23\tG\tA\t7\t0.2\t0.6\trs1\n#NA\t1\tG\tA\t8\t#NA\t#NA\trs2\n")
    assert table["base_pair_location"].tolist() == [7]
    assert np.isnan(table["n"]).all()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ssf.columns"),
        (HEADER.replace("beta", "odds_ratio"), "ssf.columns"),
        (HEADER + "\n1\t2\n", "ssf.row"),
        (HEADER + "\nX\t5\tA\tG\t1\t1\t0.5\t9\n", "ssf.number"),
        (HEADER + "\n1\t5\tA\tG\tbig\t1\t0.5\t9\n", "ssf.number"),
        (HEADER + "\n1\t5\tA\tG\tinf\t1\t0.5\t9\n", "ssf.number"),
        (HEADER + "\n1\t5\tA\tA\t1\t1\t0.5\t9\n", "ssf.alleles"),
        (HEADER + "\n1\t5\tA\tG\t1\t1\t0.5\t9\n1\t5\tG\tA\t1\t1\t0.5\t9\n", "ssf.twice"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused(text: str, code: str) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_gwas_ssf(text)
    assert refusal.value.code == code
