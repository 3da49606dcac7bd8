import numpy as np
import pytest

from nebula.analysis.catalogue import analysed_people, cohort_components, run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.linear import associate
from nebula.analysis.parameters import AlleleFrequency, LinearGwas
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


@pytest.fixture
def cohort(made_up: np.ndarray) -> CohortInput:
    rng = np.random.default_rng(6)
    trait = rng.standard_normal(203)
    trait[:9] = np.nan
    sex = (np.arange(203) % 2).astype(float)
    sex[200:] = np.nan
    sites = Sites(
        np.array(["chr1"] * 300 + ["chr22"] * 200 + ["chrX"] * 100),
        np.arange(1, 601) * 100,
        np.array(["A"] * 600),
        np.array(["C"] * 600),
    )
    return CohortInput(PackedMatrix.from_dosage(made_up), sites, {"trait": trait, "sex": sex})


def test_whoever_lacks_trait_or_covariate_leaves_the_analysis_and_its_components(cohort: CohortInput) -> None:
    parameters = LinearGwas(trait="trait", covariates=("sex",), pcs=3, minimum_maf=0.05)
    result = run("gwas-linear@1", parameters, cohort)
    kept = analysed_people(parameters, cohort)
    assert result.people == kept.sum() == 191
    chosen = CohortInput(cohort.matrix.select_samples(kept), cohort.sites, {})
    covariates = np.column_stack([cohort.phenotypes["sex"][kept], cohort_components(parameters, chosen)])
    again = associate(chosen.matrix, cohort.phenotypes["trait"][kept], covariates)
    rows = np.searchsorted(cohort.sites.position, result.table["base_pair_location"])
    np.testing.assert_allclose(result.table["beta"], again.beta[rows])
    assert result.fitted == 5


def test_a_run_repeats_itself_to_the_last_bit(cohort: CohortInput) -> None:
    parameters = LinearGwas(trait="trait", pcs=4, seed=11)
    once, again = (run("gwas-linear@1", parameters, cohort) for _ in range(2))
    for name, column in once.table.items():
        np.testing.assert_array_equal(column, again.table[name])


def test_rare_and_badly_called_variants_are_not_tested(cohort: CohortInput) -> None:
    result = run("gwas-linear@1", LinearGwas(trait="trait", pcs=0, minimum_maf=0.2), cohort)
    frequency = result.table["effect_allele_frequency"]
    assert (np.minimum(frequency, 1 - frequency) >= 0.2).all()
    assert 0 < len(frequency) < 600
    assert not np.isnan(result.table["beta"]).any()


def test_the_rarest_class_of_a_classifying_column_is_counted(cohort: CohortInput) -> None:
    rare = np.zeros(203)
    rare[50:54] = 1
    columns = {**cohort.phenotypes, "rare": rare}
    with_rare = CohortInput(cohort.matrix, cohort.sites, columns)
    assert run("gwas-linear@1", LinearGwas(trait="trait", covariates=("rare",), pcs=0), with_rare).smallest_group == 4
    assert run("gwas-linear@1", LinearGwas(trait="trait", pcs=0), with_rare).smallest_group == 194


def test_regions_choose_variants_and_nothing_else_does(cohort: CohortInput) -> None:
    everything = run("allele-frequency@1", AlleleFrequency(), cohort)
    assert len(everything.table["n"]) == 600
    some = run("allele-frequency@1", AlleleFrequency(regions=("1:101-300", "chrX:60000-60000")), cohort)
    assert some.table["variant_id"].tolist() == ["1_200_A_C", "1_300_A_C", "23_60000_A_C"]


def test_a_column_that_nobody_has_is_refused(cohort: CohortInput) -> None:
    with pytest.raises(RejectedInputError, match="height"):
        run("gwas-linear@1", LinearGwas(trait="height"), cohort)
    nobody = CohortInput(cohort.matrix, cohort.sites, {"trait": np.full(203, np.nan)})
    with pytest.raises(RejectedInputError) as refusal:
        run("gwas-linear@1", LinearGwas(trait="trait"), nobody)
    assert refusal.value.code == "analysis.nobody"


def test_parameters_of_another_analysis_are_refused(cohort: CohortInput) -> None:
    with pytest.raises(RejectedInputError):
        run("gwas-linear@1", AlleleFrequency(), cohort)
    with pytest.raises(RejectedInputError):
        run("gwas-linear@2", LinearGwas(trait="trait"), cohort)
