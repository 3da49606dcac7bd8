import contextlib
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.score_parameters import PolygenicScore
from nebula.analysis.score_rows import write_row
from nebula.analysis.scoring_file import ScoreVariant, parse_scoring_file
from nebula.protocol.errors import RejectedInputError

HEADER = "#format_version=2.0\n#pgs_id=PGS9\n#genome_build=GRCh38\n"
COLUMNS = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"


def refusal(text: str) -> RejectedInputError:
    with pytest.raises(RejectedInputError) as caught:
        parse_scoring_file(text)
    return caught.value


def one(cells: str, columns: str = COLUMNS) -> ScoreVariant:
    (variant,) = parse_scoring_file(f"{HEADER}{columns}\n{cells}\n").variants
    return variant


def test_a_harmonised_file_is_read_at_its_harmonised_positions(shared_data: Path) -> None:
    text = gzip.decompress((shared_data / "scores/PGS000001_hmPOS_GRCh38.txt.gz").read_bytes()).decode()
    score = parse_scoring_file(text)
    assert (score.name, score.build, len(score.variants)) == ("PGS000001", "GRCh38", 77)
    assert score.variants[0] == ScoreVariant("11", 69516650, "T", "C", (0.0, 0.16220387987485377, 0.32440775974970754))
    earlier = gzip.decompress((shared_data / "scores/PGS000002_hmPOS_GRCh37.txt.gz").read_bytes()).decode()
    assert parse_scoring_file(earlier).build == "GRCh37"


def test_rows_off_the_chromosomes_and_without_a_place_are_counted(shared_data: Path) -> None:
    text = gzip.decompress((shared_data / "scores/PGS001229_hmPOS_GRCh38.txt.gz").read_bytes()).decode()
    with pytest.raises(RejectedInputError, match=r"line \d+.*'P'"):
        parse_scoring_file(text)
    score = parse_scoring_file(text, leave_out_complex=True)
    assert score.build is None
    assert score.left_out["off_chromosomes"] == 2
    assert score.left_out["complex"] > 0
    assert len(score.variants) + sum(score.left_out.values()) == 51_209


@pytest.mark.parametrize(
    ("name", "code"),
    [("complex_variants_PGS000021.txt", "score.no-positions"), ("invalid_scorefile.txt", "score.no-positions")],
)
def test_a_file_that_cannot_be_placed_is_refused(shared_data: Path, name: str, code: str) -> None:
    assert refusal((shared_data / "scores" / name).read_text()).code == code


@pytest.mark.parametrize("flag", ["is_haplotype", "is_diplotype", "is_interaction", "is_something_new"])
def test_what_weighs_several_variants_together_is_refused_with_its_line(flag: str) -> None:
    text = f"{HEADER}{COLUMNS}\t{flag}\n1\t5\tA\tC\t0.1\tFalse\n1\t9\tA\tC\t0.1\tTrue\n"
    error = refusal(text)
    assert error.code == "score.complex"
    assert error.message.startswith(f"line 6: {flag}")
    assert parse_scoring_file(text, leave_out_complex=True).left_out["complex"] == 1


def test_each_model_has_its_weights() -> None:
    models = COLUMNS + "\tis_dominant\tis_recessive"
    assert one("1\t5\tA\tC\t0.5\tFalse\tFalse", models).weights == (0.0, 0.5, 1.0)
    assert one("1\t5\tA\tC\t0.5\tTrue\tFalse", models).weights == (0.0, 0.5, 0.5)
    assert one("1\t5\tA\tC\t0.5\tFalse\tTrue", models).weights == (0.0, 0.0, 0.5)
    dosage = "chr_name\tchr_position\teffect_allele\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight"
    assert one("1\t5\tA\t0.1\t0.7\t-2", dosage).weights == (0.1, 0.7, -2.0)
    assert refusal(f"{HEADER}{models}\n1\t5\tA\tC\t0.5\tTrue\tTrue\n").code == "score.model"


def test_another_allele_that_is_not_said_is_the_inferred_one_or_none() -> None:
    columns = "hm_chr\thm_pos\teffect_allele\teffect_weight\thm_inferOtherAllele"
    assert one("1\t5\tA\t0.1\tC", columns).other == "C"
    assert one("1\t5\tA\t0.1\tC/G", columns).other is None
    assert one("1\t5\tA\t0.1\t", columns).other is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "score.empty"),
        (f"{HEADER}{COLUMNS}\n", "score.empty"),
        (f"#format_version=3.0\n{COLUMNS}\n1\t5\tA\tC\t1\n", "score.version"),
        (f"#weight_type=OR\n{COLUMNS}\n1\t5\tA\tC\t1\n", "score.weight-type"),
        (f"#genome_build=NCBI36\n{COLUMNS}\n1\t5\tA\tC\t1\n", "score.build"),
        (f"{COLUMNS}\t{COLUMNS}\n1\t5\tA\tC\t1\n", "score.columns"),
        ("chr_name\tchr_position\teffect_weight\n1\t5\t1\n", "score.columns"),
        (f"{COLUMNS}\n1\t5\tA\tC\t1\t7\n", "score.row"),
        (f"{COLUMNS}\n1\t-5\tA\tC\t1\n", "score.position"),
        (f"{COLUMNS}\n1\t5\tA\tC\tnan\n", "score.weight"),
        (f"{COLUMNS}\n1\t5\tA\tC\theavy\n", "score.weight"),
        (f"{COLUMNS}\n1\t5\tA\tA\t1\n", "score.allele"),
        (f"{COLUMNS}\n1\t5\t\tA\t1\n", "score.allele"),
        (f"{COLUMNS}\tis_dominant\n1\t5\tC\tA\t1\tperhaps\n", "score.flag"),
    ],
)
def test_a_file_that_says_nothing_certain_is_refused(text: str, code: str) -> None:
    assert refusal(text).code == code


RATIOS = [
    "OR",
    "or",
    "ORs",
    "odds ratio",
    "Odds_Ratio",
    "hr",
    "Hazard Ratio",
    "aOR",
    "adjusted OR",
    "relative risk",
    "exp(beta)",
]
LOGARITHMS = ["beta", "NR", "", "log(OR)", "logOR", "ln(HR)", "log odds ratio", "Log-Hazard Ratio", "log_or"]


@pytest.mark.parametrize("kind", [*RATIOS, "OR from logistic regression"])
def test_ratios_are_refused_however_they_are_called(kind: str) -> None:
    assert refusal(f"#weight_type={kind}\n{COLUMNS}\n1\t5\tA\tC\t1\n").code == "score.weight-type"
    error = refusal(f"{COLUMNS}\tweight_type\n1\t5\tA\tC\t1\tbeta\n1\t6\tA\tC\t1\t{kind}\n")
    assert (error.code, error.message[:8]) == ("score.weight-type", "line 3: ")


@pytest.mark.parametrize("kind", LOGARITHMS)
def test_logarithms_are_summed_however_they_are_called(kind: str) -> None:
    text = f"#weight_type={kind}\n{COLUMNS}\tweight_type\n1\t5\tA\tC\t1\t{kind}\n"
    assert len(parse_scoring_file(text).variants) == 1


@pytest.mark.parametrize("weight", ["1_0", "\u0661", "0x10", "\u22121", "1,5", "1e400", "Infinity", ""])
def test_a_weight_is_a_number_of_ascii_digits(weight: str) -> None:
    assert refusal(f"{COLUMNS}\n1\t5\tA\tC\t{weight}\n").code == "score.weight"


@pytest.mark.parametrize(
    ("said", "name"),
    [("CHR1", "1"), ("x", "X"), ("23", "X"), ("chr24", "Y"), ("m", "MT"), ("Mt", "MT"), ("chrM", "MT")],
)
def test_a_chromosome_has_several_names(said: str, name: str) -> None:
    assert one(f"{said}\t5\tA\tC\t1").chromosome == name


@pytest.mark.parametrize("said", ["XY", "PAR", "25", "26", "0", "01", "1_KI270706v1_random", "\u0661"])
def test_what_may_be_several_chromosomes_is_none(said: str) -> None:
    text = f"{HEADER}{COLUMNS}\n{said}\t5\tA\tC\t1\n1\t5\tA\tC\t1\n"
    assert parse_scoring_file(text).left_out["off_chromosomes"] == 1


def test_the_header_of_the_first_format_says_build_and_name_too() -> None:
    text = f"# PGS ID = PGS7\n# Original Genome Build = hg19\n{COLUMNS}\n1\t5\tA\tC\t1\n"
    score = parse_scoring_file(text)
    assert (score.name, score.build) == ("PGS7", "GRCh37")
    assert refusal(text.replace("hg19", "hg18")).code == "score.build"


def test_only_line_feeds_end_lines_and_the_mark_of_an_editor_is_none() -> None:
    text = f"\ufeff{HEADER}{COLUMNS}\tlocus_name\n1\t5\tA\tC\t1\ta\u2028b\x85c\n".replace("\n", "\r\n")
    assert parse_scoring_file(text).build == "GRCh38"


@given(st.text(alphabet="#=\t\nAC1hm_chr_poseffect_allele0.5 TrueX", max_size=300))
def test_any_text_is_a_score_or_is_refused(text: str) -> None:
    with contextlib.suppress(RejectedInputError):
        parse_scoring_file(COLUMNS + "\n" + text)


# Weights below 1e-90 are none.
weights = st.floats(-1e29, 1e29).map(lambda value: float(f"{value:.9g}") if abs(value) > 1e-89 else 0.0)
variants = st.builds(
    ScoreVariant,
    st.sampled_from(["1", "22", "X", "MT"]),
    st.integers(1, 2**28 - 1),
    st.sampled_from(["A", "CT"]),
    st.sampled_from(["G", None]),
    st.one_of(weights.map(lambda w: (0.0, w, 2 * w)), st.tuples(weights, weights, weights)),
)


@given(st.lists(variants, min_size=1, max_size=20))
def test_a_score_comes_back_from_the_terms_of_a_study(wanted: list[ScoreVariant]) -> None:
    import msgspec

    rows = [write_row(variant) for variant in wanted]
    parameters = msgspec.convert({"score": "PGS1", "build": "GRCh38", "rows": rows}, PolygenicScore)
    assert list(parameters.variants) == wanted
