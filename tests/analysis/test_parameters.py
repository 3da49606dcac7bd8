import pytest

from nebula.analysis.parameters import AlleleFrequency, LinearGwas, parameters_digest, parse_parameters
from nebula.protocol.errors import RejectedInputError


def test_defaults_written_out_or_left_out_have_one_digest() -> None:
    short = parse_parameters("gwas-linear@1", {"trait": "height"})
    long = parse_parameters(
        "gwas-linear@1", {"seed": 0, "pcs": 10, "trait": "height", "covariates": [], "minimum_maf": 0.01}
    )
    assert parameters_digest("gwas-linear@1", short) == parameters_digest("gwas-linear@1", long)
    assert len(parameters_digest("gwas-linear@1", short)) == 32


def test_any_other_parameter_has_another_digest() -> None:
    seen = {parameters_digest("allele-frequency@1", AlleleFrequency())}
    for change in ({}, {"pcs": 3}, {"seed": 1}, {"covariates": ("sex",)}, {"minimum_maf": 0.02}):
        seen.add(parameters_digest("gwas-linear@1", LinearGwas(trait="height", **change)))
    assert len(seen) == 6


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"trait": "height", "pcs": 21},
        {"trait": "height", "pcs": -1},
        {"trait": "height", "pcs": "3"},
        {"trait": "height", "minimum_maf": 0.6},
        {"trait": "height", "minimum_maf": float("nan")},
        {"trait": "height", "disclosure": False},
        {"trait": "height", "prune_step": 51},
        {"trait": "height", "prune_r_squared": 0},
        {"trait": "height", "covariates": ["height"]},
        {"trait": "height", "covariates": ["sex", "sex"]},
        {"trait": "", "pcs": 1},
    ],
)
def test_parameters_out_of_range_or_unknown_are_refused(raw: dict) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_parameters("gwas-linear@1", raw)
    assert refusal.value.code == "analysis.parameters"


@pytest.mark.parametrize("region", ["1", "1:5", "1:0-5", "25x:1-2", "23:1-2", "1:1-2;2:1-2", "chr0:1-2"])
def test_a_region_is_chromosome_start_and_end(region: str) -> None:
    with pytest.raises(RejectedInputError):
        parse_parameters("allele-frequency@1", {"regions": [region]})


def test_an_analysis_that_is_not_offered_names_those_that_are() -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_parameters("gwas-logarithmic@1", {})
    assert "gwas-linear@1" in (refusal.value.hint or "")
