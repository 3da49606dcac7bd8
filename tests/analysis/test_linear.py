from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.analysis.linear import Associations, NoEstimate, associate, associate_many, complete_cases, covariate_basis
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


def slow_associations(dosage: np.ndarray, trait: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """The obvious way: least squares per variant over the people observed. Columns beta, se."""
    rows = []
    for genotypes in dosage:
        seen = genotypes >= 0
        design = np.column_stack([genotypes[seen], np.ones(seen.sum()), covariates[seen]]).astype(float)
        solved, _, rank, _ = np.linalg.lstsq(design, trait[seen], rcond=None)
        if rank < design.shape[1]:
            rows.append((np.nan, np.nan))
            continue
        rest = trait[seen] - design @ solved
        variance = rest @ rest / (len(rest) - rank)
        rows.append((solved[0], np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])))
    return np.array(rows)


def assert_same(found: Associations, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(np.isnan(found.beta), np.isnan(expected[:, 0]))
    good = ~np.isnan(found.beta)
    assert (np.abs(found.beta - expected[:, 0])[good] <= 1e-7 * expected[good, 1]).all()
    np.testing.assert_allclose(found.standard_error[good], expected[good, 1], rtol=1e-7)


@settings(max_examples=25, deadline=None)
@given(
    people=st.integers(12, 90),
    columns=st.integers(0, 9),
    missing=st.sampled_from([0.0, 0.05, 0.3]),
    seed=st.integers(0, 1000),
)
def test_an_estimate_is_that_of_least_squares(people: int, columns: int, missing: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.beta(0.4, 0.4, (30, 1)), (30, people)).astype(np.int8)
    dosage[rng.random(dosage.shape) < missing] = -1
    trait, covariates = 50 + rng.standard_normal(people), rng.standard_normal((people, min(columns, people // 3)))
    enough = (dosage >= 0).sum(axis=1) > covariates.shape[1] + 3
    dosage = dosage[enough]
    found = associate(PackedMatrix.from_dosage(dosage), trait, covariates)
    assert_same(found, slow_associations(dosage, trait, covariates))


def test_results_do_not_depend_on_threads(made_up: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    trait, covariates = rng.standard_normal(203), rng.standard_normal((203, 17))
    one, three = (associate(PackedMatrix.from_dosage(made_up), trait, covariates, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.beta, three.beta)
    np.testing.assert_array_equal(one.standard_error, three.standard_error)
    assert_same(one, slow_associations(made_up, trait, covariates))


@pytest.mark.parametrize(("traits", "columns"), [(2, 0), (3, 9), (20, 4)])
def test_traits_together_are_the_same_bits_as_each_alone(made_up: np.ndarray, traits: int, columns: int) -> None:
    rng = np.random.default_rng(7)
    values, covariates = rng.standard_normal((203, traits)), rng.standard_normal((203, columns))
    matrix = PackedMatrix.from_dosage(made_up)
    for trait, together in zip(values.T, associate_many(matrix, values, covariates), strict=True):
        alone = associate(matrix, trait, covariates)
        np.testing.assert_array_equal(together.beta, alone.beta)
        np.testing.assert_array_equal(together.standard_error, alone.standard_error)
        np.testing.assert_array_equal(together.neg_log10_p, alone.neg_log10_p)


def test_a_variant_is_the_same_bits_whatever_is_beside_it(made_up: np.ndarray) -> None:
    rng = np.random.default_rng(8)
    trait, covariates = rng.standard_normal(203), rng.standard_normal((203, 5))
    matrix = PackedMatrix.from_dosage(made_up)
    whole = associate(matrix, trait, covariates)
    order = rng.permutation(600)[:251]
    part = associate(matrix.select_variants(order), trait, covariates)
    np.testing.assert_array_equal(part.beta, whole.beta[order])
    np.testing.assert_array_equal(part.standard_error, whole.standard_error[order])


def test_one_person_far_out_costs_no_precision(made_up: np.ndarray) -> None:
    rng = np.random.default_rng(9)
    trait = rng.standard_normal(203)
    trait[17] = 1e4
    covariates = np.column_stack([rng.standard_normal(203), np.arange(203) == 3]).astype(float)
    found = associate(PackedMatrix.from_dosage(made_up), trait, covariates)
    assert_same(found, slow_associations(made_up, trait, covariates))


def test_counting_the_other_allele_turns_the_sign_and_nothing_else(made_up: np.ndarray) -> None:
    trait = np.random.default_rng(1).standard_normal(203)
    other = np.where(made_up >= 0, 2 - made_up, -1).astype(np.int8)
    none = np.zeros((203, 0))
    here, there = (associate(PackedMatrix.from_dosage(d), trait, none) for d in (made_up, other))
    np.testing.assert_allclose(here.beta, -there.beta, rtol=1e-9)
    np.testing.assert_allclose(here.neg_log10_p, there.neg_log10_p, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(here.alternate / here.observed / 2, 1 - there.alternate / there.observed / 2)


def test_a_variant_without_an_estimate_says_why() -> None:
    rng = np.random.default_rng(2)
    genotypes = rng.binomial(2, 0.5, 40)
    few = np.full(40, -1)
    few[:3] = 0, 1, 2
    dosage = np.array([np.zeros(40), np.ones(40), genotypes, few, np.full(40, -1)], dtype=np.int8)
    covariates = np.column_stack([genotypes * 3.0, rng.standard_normal(40)])
    found = associate(PackedMatrix.from_dosage(dosage), rng.standard_normal(40), covariates)
    why = [NoEstimate.CONSTANT, NoEstimate.CONSTANT, NoEstimate.COLLINEAR, NoEstimate.TOO_FEW, NoEstimate.CONSTANT]
    assert found.no_estimate.tolist() == why
    assert np.isnan(found.beta).all()
    assert np.isnan(found.neg_log10_p).all()


def test_covariates_that_repeat_each_other_change_nothing(made_up: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    trait, covariates = rng.standard_normal(203), rng.standard_normal((203, 3))
    repeated = np.column_stack([covariates, covariates @ [1, 2, -1], np.full(203, 4.2), covariates[:, 0] * 1e6])
    assert covariate_basis(repeated, 203).shape == (203, 4)
    matrix = PackedMatrix.from_dosage(made_up)
    once, twice = associate(matrix, trait, covariates), associate(matrix, trait, repeated)
    np.testing.assert_allclose(once.beta, twice.beta, rtol=1e-8)


@pytest.mark.parametrize(
    ("trait", "covariates", "code"),
    [
        (np.full(203, 7.0), np.zeros((203, 0)), "analysis.constant-trait"),
        (np.arange(203.0), np.arange(203.0)[:, None] * 2 + 1, "analysis.constant-trait"),
        (np.where(np.arange(203) == 4, np.nan, 1.0 * np.arange(203)), np.zeros((203, 0)), "analysis.missing-trait"),
        (np.arange(203.0), np.full((203, 1), np.nan), "analysis.missing-covariate"),
        (np.arange(203.0), np.zeros((203, 201)), "analysis.too-few"),
        (np.arange(200.0), np.zeros((203, 0)), "analysis.shape"),
    ],
)
def test_a_model_that_cannot_be_fitted_is_refused(
    made_up: np.ndarray, trait: np.ndarray, covariates: np.ndarray, code: str
) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        associate(PackedMatrix.from_dosage(made_up), trait, covariates)
    assert refusal.value.code == code


def test_a_complete_case_has_every_column() -> None:
    kept = complete_cases(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, np.inf]))
    assert kept.tolist() == [True, False, False]


@pytest.mark.parametrize("missing", [0.0, 0.01])
def test_associations_are_those_of_plink2(
    real_cohort: Any, plink2: Callable[..., Path], tmp_path: Path, missing: float
) -> None:
    rng = np.random.default_rng(4)
    dosage = real_cohort.dosage.copy()
    people = dosage.shape[1]
    variants = np.argsort(dosage.var(axis=1))[-2:]
    covariates = rng.standard_normal((people, 10))
    trait = rng.standard_normal(people) + covariates[:, 0] + 2 * dosage[variants[0]] + 0.3 * dosage[variants[1]]
    dosage[rng.random(dosage.shape) < missing] = -1
    names = [f"c{index}" for index in range(10)]
    lines = ["\t".join(["#IID", "trait", *names])]
    for index in range(people):
        values = [repr(float(value)) for value in (trait[index], *covariates[index])]
        lines.append("\t".join([f"s{index}", *values]))
    (tmp_path / "pheno.tsv").write_text("\n".join(lines) + "\n")
    arguments = "--glm hide-covar omit-ref log10 cols=+a1freq --pheno pheno.tsv --pheno-name trait".split()  # noqa: SIM905
    covar = ["--covar", "pheno.tsv", "--covar-name", ",".join(names)]
    out = plink2(dosage, real_cohort.sites.chromosome, *arguments, *covar)
    header, *rows = [line.split() for line in out.with_name("out.trait.glm.linear").read_text().splitlines()]
    theirs = {name: [row[index] for row in rows] for index, name in enumerate(header)}
    beta, error, logs = (
        np.array([np.nan if cell == "NA" else float(cell) for cell in theirs[name]])
        for name in ("BETA", "SE", "LOG10_P")
    )
    found = associate(PackedMatrix.from_dosage(dosage), trait, covariates)
    both = ~np.isnan(beta) & ~np.isnan(found.beta)
    # plink2 also leaves out nearly collinear variants (VIF > 50); none of ours may be missing there.
    assert (np.isnan(beta) == np.isnan(found.beta)).mean() > 0.999
    assert np.abs((found.beta - beta) / error)[both].max() < 1e-3
    assert np.abs(found.neg_log10_p - logs)[both].max() < 1e-3
    assert np.nanmax(found.neg_log10_p) > 300
    assert [int(cell) for cell in theirs["OBS_CT"]] == found.observed.tolist()
