import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.linear import associate
from nebula.analysis.parameters import (
    AlleleFrequency,
    KinshipCounts,
    LinearGwas,
    LogisticGwas,
    PopulationStructure,
    Relatives,
)
from nebula.analysis.people import analysed_people, cohort_components
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


def test_groups_have_their_own_counts_and_share_what_is_rarest(cohort: CohortInput) -> None:
    result = run("allele-frequency@1", AlleleFrequency(groups="sex"), cohort)
    assert result.people == 200
    assert result.smallest_group == 100
    women = cohort.matrix.select_samples(np.flatnonzero(cohort.phenotypes["sex"] == 1))
    mine = result.table["group"] == 1
    np.testing.assert_array_equal(result.table["effect_allele_count"][mine], GenotypeCounts.of(women).alternate)
    np.testing.assert_array_equal(result.table["fewest"][mine], result.table["fewest"][~mine])
    assert (result.table["fewest"][mine] <= GenotypeCounts.of(women).minor).all()
    with pytest.raises(RejectedInputError) as refusal:
        run("allele-frequency@1", AlleleFrequency(groups="trait"), cohort)
    assert refusal.value.code == "analysis.not-groups"


def test_cases_are_those_with_the_larger_of_two_values(cohort: CohortInput) -> None:
    result = run("gwas-logistic@1", LogisticGwas(trait="sex", pcs=2, minimum_maf=0.1), cohort)
    kept = np.flatnonzero(np.isfinite(cohort.phenotypes["sex"]))
    assert result.people == 200
    assert set(result.table["test"]) <= {"SCORE", "WALD", "FIRTH"}
    rows = np.searchsorted(cohort.sites.position, result.table["base_pair_location"])
    cases = cohort.matrix.select_samples(kept[cohort.phenotypes["sex"][kept] == 1])
    counts = GenotypeCounts.of(cases)
    np.testing.assert_allclose(result.table["effect_allele_frequency_cases"], counts.frequency[rows])
    assert (result.table["fewest"] <= counts.minor[rows]).all()
    with pytest.raises(RejectedInputError) as refusal:
        run("gwas-logistic@1", LogisticGwas(trait="trait"), cohort)
    assert refusal.value.code == "analysis.not-case-control"


def test_relatives_leave_where_they_should(cohort: CohortInput) -> None:
    doubled = np.r_[0:203, 20:40]
    twins = CohortInput(
        cohort.matrix.select_samples(doubled),
        cohort.sites,
        {name: column[doubled] for name, column in cohort.phenotypes.items()},
    )
    kept = run("gwas-linear@1", LinearGwas(trait="trait", pcs=0), twins)
    dropped = run("gwas-linear@1", LinearGwas(trait="trait", pcs=0, relatives=Relatives.DROP), twins)
    assert (kept.people, kept.left_out) == (214, 0)
    assert dropped.people + dropped.left_out == 214
    assert dropped.left_out >= 20
    table = run("kinship@1", KinshipCounts(), twins).table
    assert table["count"][0] >= 20
    assert table["count"][5] >= 20


def test_structure_counts_everybody_once_on_each_pair_of_components(cohort: CohortInput) -> None:
    parameters = PopulationStructure(pcs=5)
    result = run("pca-structure@1", parameters, cohort)
    assert set(result.table["component_x"]) == {1, 3}
    for first in (1, 3):
        assert result.table["people"][result.table["component_x"] == first].sum() == 203
    assert len(result.summary["eigenvalues"]) == 5
    assert "vectors" not in result.table


def test_proportions_are_tested_on_autosomes_alone(cohort: CohortInput) -> None:
    table = run("allele-frequency@1", AlleleFrequency(), cohort).table
    np.testing.assert_array_equal(np.isnan(table["hwe_p_value"]), table["chromosome"] == 23)


def test_proportions_are_tested_on_x_in_women_where_a_column_tells_them(cohort: CohortInput) -> None:
    result = run("allele-frequency@1", AlleleFrequency(sex="sex", women=1, mid_p=True), cohort)
    assert result.people == 200
    assert result.smallest_group == 100
    women = cohort.matrix.select_samples(np.flatnonzero(cohort.phenotypes["sex"] == 1))
    on_x = result.table["chromosome"] == 23
    np.testing.assert_array_equal(
        result.table["hwe_p_value"][on_x], GenotypeCounts.of(women).hardy_weinberg(mid=True)[500:]
    )
    known = cohort.matrix.select_samples(np.isfinite(cohort.phenotypes["sex"]))
    np.testing.assert_array_equal(
        result.table["hwe_p_value"][~on_x], GenotypeCounts.of(known).hardy_weinberg(mid=True)[:500]
    )
    assert (result.table["smallest_cell"][~on_x] > 10**9).all()
    assert result.table["smallest_cell"][on_x].min() < 10


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


def test_frequencies_of_chromosomes_of_which_people_have_one_copy_are_those_of_plink2(tmp_path: Path) -> None:
    if shutil.which("plink2") is None:
        pytest.skip("plink2 is not installed")
    rng = np.random.default_rng(1)
    men = np.arange(500) % 2 == 0
    copies = np.array([np.full(500, 2), np.where(men, 1, 2), np.full(500, 2), np.where(men, 1, 0), np.full(500, 1)])
    dosage = np.where(copies > 0, rng.binomial(copies, [[0.4], [0.4], [0.3], [0.4], [0.9]]), -1).astype(np.int8)
    sites = Sites(
        np.array(["1", "X", "X", "Y", "MT"]),
        np.array([100, 5_000_000, 1_000_000, 5_000_000, 100]),
        np.full(5, "A"),
        np.full(5, "C"),
    )
    cohort = CohortInput(PackedMatrix.from_dosage(dosage), sites, {"sex": men.astype(float)}, assembly="GRCh38")
    found = run("allele-frequency@1", AlleleFrequency(sex="sex", women=0), cohort).table

    spelt = {(0, -1): ".", (1, 0): "0", (1, 1): "1", (2, 0): "0/0", (2, 1): "0/1", (2, 2): "1/1"}
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name}>" for name in ("1", "X", "PAR1", "Y", "MT"))]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="g">']
    lines.append("\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT", *(f"s{i}" for i in range(500))]))
    for row, (name, at) in enumerate(zip(("1", "X", "PAR1", "Y", "MT"), sites.position, strict=True)):
        calls = [spelt[pair] for pair in zip(copies[row].tolist(), dosage[row].tolist(), strict=True)]
        lines.append("\t".join([f"{name} {at} v{row} A C . . . GT", *calls]))
    (tmp_path / "in.vcf").write_text("\n".join(line.replace(" ", "\t") for line in lines) + "\n")
    people = "".join(f"s{i}\t{1 if man else 2}\n" for i, man in enumerate(men.tolist()))
    (tmp_path / "in.psam").write_text(f"#IID\tSEX\n{people}")
    command = ["plink2", "--vcf", "in.vcf", "--psam", "in.psam", "--freq", "--out", "out"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    theirs = {line.split()[1]: line.split() for line in (tmp_path / "out.afreq").read_text().splitlines()[1:]}
    frequencies = [float(theirs[f"v{row}"][4]) for row in range(5)]
    np.testing.assert_allclose(found["effect_allele_frequency"], frequencies, rtol=1e-4)
