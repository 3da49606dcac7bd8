from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import ConditionalGwas
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


@pytest.fixture(scope="module")
def dosage() -> np.ndarray:
    """60 variants in linkage of 1,500 people: each a mixture of its neighbours."""
    rng = np.random.default_rng(1)
    haplotypes = rng.random((2, 1500, 60)) < 0.3
    for column in range(1, 60):
        copied = rng.random((2, 1500)) < 0.6
        haplotypes[:, :, column] = np.where(copied, haplotypes[:, :, column - 1], haplotypes[:, :, column])
    return haplotypes.sum(axis=0).T.astype(np.int8)


@pytest.fixture(scope="module")
def cohort(dosage: np.ndarray) -> CohortInput:
    rng = np.random.default_rng(2)
    trait = rng.standard_normal(1500) + 0.5 * dosage[10] + 0.4 * dosage[14] - 0.6 * dosage[40]
    alleles = np.array(["C"] * 60, object), np.array(["A"] * 60, object)
    sites = Sites(np.array(["1"] * 60), np.arange(1, 61), *alleles)
    columns = {"trait": trait, "case": (trait > 0.5).astype(float), "age": rng.standard_normal(1500)}
    return CohortInput(PackedMatrix.from_dosage(dosage), sites, columns)


def asked(**changes: Any) -> ConditionalGwas:
    return ConditionalGwas(**{"trait": "trait", "pcs": 0} | changes)


def plink_glm(out: Path, suffix: str) -> dict[str, np.ndarray]:
    header, *lines = [line.split("\t") for line in out.with_suffix(suffix).read_text().splitlines()]
    lines = [line for line in lines if line[header.index("TEST")] == "ADD"]
    column = {name: header.index(name) for name in header}
    return {name: np.array([line[at] for line in lines]) for name, at in column.items()}


def test_measured_traits_are_those_of_plink2(
    cohort: CohortInput, dosage: np.ndarray, plink2: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "condition.txt").write_text("v10\nv40\n")
    rows = "".join(f"0\ts{i}\t{value!r}\n" for i, value in enumerate(cohort.phenotypes["trait"].tolist()))
    (tmp_path / "trait.txt").write_text("#FID\tIID\ttrait\n" + rows)
    out = plink2(
        dosage,
        cohort.sites.chromosome,
        *["--pheno", "trait.txt", "--glm", "allow-no-covars", "omit-ref", "--condition-list", "condition.txt"],
    )
    theirs = plink_glm(out, ".trait.glm.linear")
    table = run("gwas-conditional@1", asked(condition=("1:11:C:A", "1:41:C:A")), cohort).table
    mine = {f"v{at - 1}": row for row, at in enumerate(table["base_pair_location"].tolist())}
    shared = [(row, mine[name]) for row, name in enumerate(theirs["ID"].tolist()) if name in mine]
    assert len(shared) == 58
    for row, own in shared:
        assert table["beta"][own] == pytest.approx(float(theirs["BETA"][row]), rel=1e-4, abs=1e-6)
        assert table["neg_log_10_p_value"][own] == pytest.approx(-np.log10(float(theirs["P"][row])), rel=1e-3, abs=1e-5)


def test_steps_find_each_signal_once_and_then_nothing(cohort: CohortInput) -> None:
    result = run("gwas-conditional@1", asked(steps=10), cohort)
    signals = result.more["signals.tsv"]
    assert set(signals["base_pair_location"].tolist()) == {11, 15, 41}
    assert signals["step"].tolist() == [1, 2, 3]
    assert result.summary == {"conditioned_on": 3, "signals_found": 3}
    assert result.table["neg_log_10_p_value"].max() < -np.log10(5e-8)
    assert not {11, 15, 41} & set(result.table["base_pair_location"].tolist())


def test_steps_go_on_from_what_is_given(cohort: CohortInput) -> None:
    result = run("gwas-conditional@1", asked(steps=1, condition=("1:41:C:A",)), cohort)
    assert result.more["signals.tsv"]["base_pair_location"].tolist() in ([11], [15])
    both = ("1:41:C:A", "1:{}:C:A".format(*result.more["signals.tsv"]["base_pair_location"]))
    again = run("gwas-conditional@1", asked(condition=both), cohort)
    np.testing.assert_array_equal(again.table["beta"], result.table["beta"])


def test_cases_are_conditioned_too(cohort: CohortInput, dosage: np.ndarray) -> None:
    sm = pytest.importorskip("statsmodels.api")
    table = run("gwas-conditional@1", asked(trait="case", condition=("1:11:C:A",), covariates=("age",)), cohort).table
    row = table["base_pair_location"].tolist().index(41)
    design = sm.add_constant(np.column_stack([cohort.phenotypes["age"], dosage[10], dosage[40]]))
    peer = sm.Logit(cohort.phenotypes["case"], design).fit(disp=0)
    assert table["test"][row] == "WALD"
    assert table["beta"][row] == pytest.approx(peer.params[-1], rel=1e-5)
    assert table["standard_error"][row] == pytest.approx(peer.bse[-1], rel=1e-4)


def test_regions_say_which_variants_are_tested(cohort: CohortInput) -> None:
    table = run("gwas-conditional@1", asked(condition=("1:11:C:A",), regions=("1:5-20",)), cohort).table
    assert table["base_pair_location"].tolist() == [at for at in range(5, 21) if at != 11]


def test_a_variant_that_is_not_there_or_too_rare_is_refused(cohort: CohortInput, dosage: np.ndarray) -> None:
    rare = dosage.copy()
    rare[0] = 0
    rare[0, :9] = 1
    few = CohortInput(PackedMatrix.from_dosage(rare), cohort.sites, cohort.phenotypes)
    for name, chosen, code in (
        ("1:11:A:C", cohort, "analysis.unknown-variant"),
        ("2:11:C:A", cohort, "analysis.unknown-variant"),
        ("1:1:C:A", few, "analysis.rare-condition"),
    ):
        with pytest.raises(RejectedInputError) as refusal:
            run("gwas-conditional@1", asked(condition=(name,)), chosen)
        assert refusal.value.code == code
