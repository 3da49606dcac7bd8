import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis import report
from nebula.protocol.errors import RejectedInputError


def some_table(logs: list[float]) -> dict:
    count = len(logs)
    return {
        "chromosome": np.arange(1, count + 1),
        "base_pair_location": np.arange(count) + 1000,
        "effect_allele": np.array(["T"] * count, dtype=object),
        "other_allele": np.array(["NA"] * count, dtype=object),
        "beta": np.linspace(-1, 1, count),
        "standard_error": np.full(count, 1 / 3),
        "effect_allele_frequency": np.full(count, 0.25),
        "neg_log_10_p_value": np.array(logs),
        "variant_id": np.array([f"1_{row}_A_T" for row in range(count)], dtype=object),
        "n": np.full(count, 2504),
    }


@given(st.integers(50, 5000))
def test_the_inflation_of_uniform_p_values_is_one(count: int) -> None:
    uniform = -np.log10(np.arange(1, count + 1) / (count + 1))
    assert report.lambda_gc(uniform) == pytest.approx(1, abs=0.01)


def test_inflation_does_not_depend_on_order_and_grows_with_the_signal() -> None:
    rng = np.random.default_rng(0)
    logs = -np.log10(rng.random(999))
    assert report.lambda_gc(logs) == report.lambda_gc(rng.permutation(logs))
    assert report.lambda_gc(logs * 1.3) > report.lambda_gc(logs)
    assert np.isnan(report.lambda_gc(np.zeros(0)))


@given(st.integers(1, 3000))
def test_a_qq_curve_has_as_many_points_for_any_number_of_variants(count: int) -> None:
    curve = report.qq_quantiles(-np.log10(np.arange(1, count + 1) / (count + 1)))
    assert len(curve["expected"]) == len(curve["observed"]) == report.QUANTILE_POINTS
    np.testing.assert_allclose(curve["expected"], curve["observed"], atol=1e-9)


def test_an_association_file_is_gwas_ssf() -> None:
    lines = report.association_tsv(some_table([1.0, 9.25])).decode().splitlines()
    assert lines[0].split("\t") == [
        "chromosome",
        "base_pair_location",
        "effect_allele",
        "other_allele",
        "beta",
        "standard_error",
        "effect_allele_frequency",
        "p_value",
        "variant_id",
        "n",
    ]
    assert lines[2].split("\t")[7] == "5.62341e-10"


def test_a_p_value_too_small_for_a_double_is_written_as_a_logarithm() -> None:
    raw = report.association_tsv(some_table([1.0, 512.25]))
    assert b"neg_log_10_p_value" in raw
    assert report.parse_tsv(raw)["neg_log_10_p_value"].tolist() == [1.0, 512.25]


def test_a_table_without_rows_is_still_a_table() -> None:
    raw = report.association_tsv(some_table([]))
    assert raw.count(b"\n") == 1
    assert len(report.parse_tsv(raw)["beta"]) == 0


def test_a_file_reads_back_as_it_was_written() -> None:
    table = report.parse_tsv(report.association_tsv(some_table([1.0, 2.0, 3.0])))
    assert table["other_allele"].tolist() == ["NA"] * 3
    np.testing.assert_allclose(table["beta"], [-1, 0, 1])
    assert report.to_tsv({"n": np.array([3, -1]), "x": np.array([np.nan, 0.5])}) == b"n\tx\n3\t#NA\n#NA\t0.5\n"


@pytest.mark.parametrize("raw", [b"", b"a\tb\n1\n", b"a\nx\n", b"\xff\xfe"])
def test_what_is_no_table_is_refused(raw: bytes) -> None:
    with pytest.raises(RejectedInputError):
        report.parse_tsv(raw)


def test_metadata_is_canonical() -> None:
    assert report.metadata_yaml({"b": float("nan"), "a": {"y": 1, "x": "é: \n"}}) == (
        b'a: {"x": "\\u00e9: \\n", "y": 1}\nb: null\n'
    )


def test_the_digest_of_files_changes_with_any_byte_and_any_name() -> None:
    digests = {
        report.files_digest(files) for files in ({"a": b"bc"}, {"ab": b"c"}, {"a": b"bd"}, {"a": b"b", "c": b""}, {})
    }
    assert len(digests) == 5
    assert report.files_digest({"a": b"1", "b": b"2"}) == report.files_digest({"b": b"2", "a": b"1"})
