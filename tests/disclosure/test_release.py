import dataclasses
import inspect
from collections.abc import Callable

import numpy as np
import pytest

from nebula.analysis import report
from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import AlleleFrequency, KinshipCounts, LinearGwas, LogisticGwas, PopulationStructure
from nebula.analysis.result import AnalysisResult
from nebula.disclosure import floors
from nebula.disclosure.floors import PRODUCTION, Floors, simulation
from nebula.disclosure.release import ReleaseContext, Released, ReleaseTerms, release
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.study import ResultClass

Make = Callable[..., AnalysisResult]


def let_out(result: AnalysisResult, kind: ResultClass = ResultClass.HITS, **changes: object) -> Released:
    """Ask with everything in favour, but for what a test changes."""
    terms = {"result_class": kind, "minimum_records": 1, "micro_rho": 0 if kind != ResultClass.NOISED else 500_000}
    context = {"records": result.people, "records_allowing": result.people, "buyer_accredited": True}
    terms |= {name: changes.pop(name) for name in list(changes) if name in terms}
    return release(result, ReleaseTerms(**terms), ReleaseContext(**(context | changes)))


def refusal_of(result: AnalysisResult, kind: ResultClass = ResultClass.HITS, **changes: object) -> str:
    with pytest.raises(NotPermittedError) as refusal:
        let_out(result, kind, **changes)
    return refusal.value.code


def test_hits_are_all_that_a_hits_result_shows(association: Make) -> None:
    released = let_out(association(400))
    assert released.table["variant_id"].tolist() == ["1_8_A_G"]
    assert (released.table["neg_log_10_p_value"] > -np.log10(5e-8)).all()
    assert len(released.quantiles["expected"]) == report.QUANTILE_POINTS
    assert released.summary["lambda_gc"] > 0.5
    assert set(released.to_files()) == {"associations.tsv", "qq.tsv", "metadata.yaml"}


@pytest.mark.parametrize("kind", [ResultClass.HITS, ResultClass.FULL])
def test_no_row_below_the_allele_floor_ever_leaves(association: Make, kind: ResultClass) -> None:
    result = association(1200)
    rare = result.table["fewest"] < 10
    assert rare.sum() > 20
    result.table["neg_log_10_p_value"][rare] = 99.0  # would be the strongest hits of all
    released = let_out(result, kind)
    shown = set(released.table["variant_id"])
    assert shown.isdisjoint(result.table["variant_id"][rare])
    assert released.quantiles["observed"].max() != 99.0
    if kind is ResultClass.FULL:
        assert shown == set(result.table["variant_id"][~rare])


@pytest.mark.parametrize("chromosome", ["7", "MT"])
@pytest.mark.parametrize("apart", [1, 9])
def test_where_all_but_a_few_have_the_same_genotype_nothing_leaves_whichever_it_is(chromosome: str, apart: int) -> None:
    """All have one copy of either allele, or of the alternate one alone: neither allele is rare."""
    rng = np.random.default_rng(1)
    dosage = np.ones((1, 2_000), np.int8)
    dosage[0, :apart] = 0
    trait = rng.standard_normal(2_000)
    trait[:apart] += 7
    sites = Sites(np.array([chromosome]), np.array([8_860]), np.array(["A"]), np.array(["G"]))
    columns = {"trait": trait, "case": (trait > 1).astype(float)}
    cohort = CohortInput(PackedMatrix.from_dosage(dosage), sites, columns)
    for name, parameters in (
        ("gwas-linear@1", LinearGwas(trait="trait", pcs=0, minimum_maf=0)),
        ("gwas-logistic@1", LogisticGwas(trait="case", pcs=0, minimum_maf=0)),
        ("allele-frequency@1", AlleleFrequency()),
    ):
        assert not len(let_out(run(name, parameters, cohort), ResultClass.FULL).table["variant_id"])


def test_frequencies_leave_without_rare_alleles_and_with_small_cells_masked(frequencies: Make) -> None:
    released = let_out(frequencies(1000), ResultClass.FULL).table
    minor = np.minimum(released["effect_allele_count"], 2 * released["n"] - released["effect_allele_count"])
    assert (minor >= 10).all()
    for name in ("homozygous_other", "heterozygous", "homozygous_effect"):
        assert not ((released[name] > 0) & (released[name] < 10)).any()
    assert (released["heterozygous"] == -1).any()


def test_a_cohort_below_the_floor_is_refused(association: Make) -> None:
    assert refusal_of(association(99)) == "disclosure.cohort-too-small"
    assert let_out(association(100)).summary["sample_size"] == 100


def test_the_studys_own_floor_raises_but_never_lowers(association: Make) -> None:
    assert refusal_of(association(200), minimum_records=201) == "disclosure.cohort-too-small"
    for lower in (0, 1, -5):
        assert refusal_of(association(99), minimum_records=lower) == "disclosure.cohort-too-small"


def test_people_without_the_trait_do_not_count_towards_the_floor(association: Make) -> None:
    assert refusal_of(association(99), records=5000, records_allowing=5000) == "disclosure.cohort-too-small"


def test_complete_statistics_need_a_thousand_people_an_accredited_buyer_and_every_owner(association: Make) -> None:
    full = ResultClass.FULL
    assert refusal_of(association(999), full) == "disclosure.cohort-too-small"
    assert refusal_of(association(999), full, floors=simulation(10)) == "disclosure.cohort-too-small"
    result = association(1000)
    assert refusal_of(result, full, buyer_accredited=False) == "disclosure.not-accredited"
    assert refusal_of(result, full, records_allowing=999) == "disclosure.class-not-consented"
    assert len(let_out(result, full).table["beta"]) > 100


def test_each_analysis_has_its_classes(association: Make, frequencies: Make) -> None:
    assert refusal_of(association(200), ResultClass.NOISED) == "disclosure.class-not-offered"
    assert refusal_of(frequencies(200), ResultClass.HITS) == "disclosure.class-not-offered"
    assert refusal_of(frequencies(200), ResultClass.NOISED, micro_rho=0) == "disclosure.no-budget"


def test_a_noised_result_shows_every_variant_that_was_asked_for(frequencies: Make) -> None:
    result = frequencies(150)
    released = let_out(result, ResultClass.NOISED)
    assert released.table["variant_id"].tolist() == result.table["variant_id"].tolist()
    assert released.micro_rho == 500_000
    assert not set(released.table) & {"heterozygous", "hwe_p_value", "fewest"}
    assert (released.table["effect_allele_count"] != result.table["effect_allele_count"]).any()
    assert (released.table["n"] == 150).all()


def test_a_class_of_people_too_small_to_hide_in_is_refused(association: Make, cohort: Callable) -> None:
    result = dataclasses.replace(association(200), smallest_group=9)
    assert refusal_of(result) == "disclosure.group-too-small"
    assert let_out(association(200, covariates=("class",))).summary["sample_size"] == 200


def test_a_model_with_too_many_covariates_for_its_people_is_refused(association: Make) -> None:
    assert refusal_of(dataclasses.replace(association(104), fitted=21)) == "disclosure.saturated"


def test_cases_and_controls_need_enough_copies_each(cohort: Callable) -> None:
    made = cohort(1200)
    made.phenotypes["case"] = (made.phenotypes["trait"] > 1).astype(float)
    result = run("gwas-logistic@1", LogisticGwas(trait="case", pcs=0, minimum_maf=0), made)
    released = let_out(result, ResultClass.FULL).table
    assert len(released["beta"]) > 100
    for part, people in (("cases", "n_cases"), ("controls", "n_controls")):
        frequency = released[f"effect_allele_frequency_{part}"]
        copies = np.minimum(frequency, 1 - frequency) * 2 * released[people]
        assert (copies >= floors.MINIMUM_CELL - 0.5).all()
    assert set(let_out(result).table["test"]) == {"WALD"}


def test_a_variant_is_shown_in_every_group_or_in_none(cohort: Callable) -> None:
    result = run("allele-frequency@1", AlleleFrequency(groups="class"), cohort(1200))
    released = let_out(result, ResultClass.FULL)
    shown = [released.table["variant_id"][released.table["group"] == one].tolist() for one in (0, 1)]
    assert shown[0] == shown[1]
    masked = [released.table["heterozygous"][released.table["group"] == one] < 0 for one in (0, 1)]
    np.testing.assert_array_equal(*masked)
    assert 0 < masked[0].sum() < len(masked[0])
    assert (released.table["effect_allele_count"] >= floors.MINIMUM_CELL).all()
    assert b"group" in released.to_files()["frequencies.tsv"].splitlines()[0]
    assert refusal_of(result, ResultClass.NOISED) == "disclosure.class-not-offered"


def test_a_few_people_less_because_of_relatives_are_refused(association: Make) -> None:
    for few in (1, 9):
        assert refusal_of(dataclasses.replace(association(200), left_out=few)) == "disclosure.differencing"
    assert let_out(dataclasses.replace(association(200), left_out=10)).summary["sample_size"] == 200


def test_kinship_leaves_as_counts_of_which_none_is_small(cohort: Callable) -> None:
    made = cohort(1000)
    result = run("kinship@1", KinshipCounts(), made)
    result.table["count"][:3] = 0, 9, 10
    released = let_out(result, ResultClass.FULL)
    assert released.table["count"].tolist()[:3] == [-1, -1, 10]
    assert set(released.to_files()) == {"kinship.tsv", "metadata.yaml"}
    assert refusal_of(result, ResultClass.HITS) == "disclosure.class-not-offered"


def test_no_square_of_a_structure_result_holds_few_people(cohort: Callable) -> None:
    result = run("pca-structure@1", PopulationStructure(pcs=4), cohort(1500))
    assert (result.table["people"] < 10).any()
    released = let_out(result, ResultClass.FULL)
    assert released.table["people"].min() >= 10
    for first in (1, 3):
        hidden = 1500 - released.table["people"][released.table["component_x"] == first].sum()
        assert hidden == 0 or hidden >= 10
    assert set(released.to_files()) == {"structure.tsv", "metadata.yaml"}
    assert len(released.summary["eigenvalues"]) == 4


def test_every_result_of_a_simulation_says_so(association: Make) -> None:
    released = let_out(association(60), floors=simulation(50))
    assert released.summary["simulated_floors"] is True
    assert b"simulated_floors: true" in released.to_files()["metadata.yaml"]
    assert let_out(association(120)).summary["simulated_floors"] is False


def test_equal_results_have_equal_bytes(association: Make) -> None:
    once, again = (let_out(association(300)).to_files() for _ in range(2))
    assert report.files_digest(once) == report.files_digest(again)


def test_no_floor_can_be_made_that_is_lower() -> None:
    for minimum in (-1, 0, 1, 99):
        with pytest.raises(ValueError, match="smallest cohort"):
            Floors(minimum_cohort=minimum, simulated=False)
    for minimum in (-1, 0, 9):
        with pytest.raises(ValueError, match="smallest cohort"):
            simulation(minimum)
        with pytest.raises(ValueError, match="smallest cohort"):
            dataclasses.replace(PRODUCTION, minimum_cohort=minimum, simulated=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRODUCTION.minimum_cohort = 1


def test_no_parameter_of_a_release_or_an_analysis_names_a_floor_to_lower(association: Make) -> None:
    allowed = {"result_class", "minimum_records", "micro_rho", "records", "records_allowing", "buyer_accredited"}
    names = {field.name for kind in (ReleaseTerms, ReleaseContext) for field in dataclasses.fields(kind)}
    assert names == allowed | {"floors"}
    assert list(inspect.signature(release).parameters) == ["result", "terms", "context"]
    # The analysis' own thresholds at their lowest change nothing about what leaves.
    lowest = let_out(association(300, minimum_maf=0.0, maximum_missing=1.0), floors=simulation(10))
    frequency = lowest.table["effect_allele_frequency"]
    assert (np.minimum(frequency, 1 - frequency) * 2 * lowest.table["n"] >= floors.MINIMUM_CELL - 0.5).all()
