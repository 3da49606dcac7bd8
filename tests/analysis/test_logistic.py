from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from nebula.analysis.logistic import Method, NoFit, associate_cases
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


def slow_wald(design: np.ndarray, case: np.ndarray) -> tuple[float, float]:
    """Maximum likelihood by a general optimiser; the last column's factor and its standard error."""

    def loss(factors: np.ndarray) -> float:
        return float(np.logaddexp(0, design @ factors).sum() - case @ design @ factors)

    def slope(factors: np.ndarray) -> np.ndarray:
        return design.T @ (special.expit(design @ factors) - case)

    def bend(factors: np.ndarray) -> np.ndarray:
        mean = special.expit(design @ factors)
        return (design.T * (mean * (1 - mean))) @ design

    solved = optimize.minimize(loss, np.zeros(design.shape[1]), jac=slope, hess=bend, method="Newton-CG", tol=1e-12)
    found = solved.x - np.linalg.solve(bend(solved.x), slope(solved.x))
    return float(found[-1]), float(np.sqrt(np.linalg.inv(bend(found))[-1, -1]))


def slow_firth(design: np.ndarray, case: np.ndarray) -> tuple[float, float]:
    """Jeffreys' prior: the penalised likelihood's summit, by a general optimiser."""

    def information(factors: np.ndarray) -> np.ndarray:
        mean = special.expit(design @ factors)
        return (design.T * (mean * (1 - mean))) @ design

    def loss(factors: np.ndarray) -> float:
        likelihood = case @ design @ factors - np.logaddexp(0, design @ factors).sum()
        return -float(likelihood + np.linalg.slogdet(information(factors))[1] / 2)

    solved = optimize.minimize(loss, np.zeros(design.shape[1]), method="BFGS", options={"gtol": 1e-7})
    return float(solved.x[-1]), float(np.sqrt(np.linalg.inv(information(solved.x))[-1, -1]))


def slow_score(design: np.ndarray, genotype: np.ndarray, case: np.ndarray, null: np.ndarray) -> tuple[float, float]:
    """One step from a null model of these people."""
    mean = special.expit(design @ null)
    weight = mean * (1 - mean)
    whole = np.column_stack([design, genotype])
    information = (whole.T * weight) @ whole
    step = np.linalg.solve(information, whole.T @ (case - mean))
    return float(step[-1]), float(np.sqrt(np.linalg.inv(information)[-1, -1]))


def a_study(seed: int, people: int, missing: float, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0.05, 0.95, (25, 1)), (25, people)).astype(np.int8)
    covariates = rng.standard_normal((people, columns)) * [10.0**index for index in range(columns)]
    odds = 0.8 * dosage[3] - 0.9 * dosage[7] + (covariates[:, 0] if columns else 0)
    case = (rng.random(people) < special.expit(odds - odds.mean() - 0.4)).astype(float)
    dosage[rng.random(dosage.shape) < missing] = -1
    return dosage, case, covariates


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.05]), columns=st.integers(0, 3))
def test_a_fitted_variant_has_the_maximum_likelihood(seed: int, missing: float, columns: int) -> None:
    dosage, case, covariates = a_study(seed, 300, missing, columns)
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, covariates, refined_p=1.0)
    scaled = covariates / [10.0**index for index in range(columns)]
    for index in np.flatnonzero(found.method == Method.WALD)[:6]:
        seen = dosage[index] >= 0
        design = np.column_stack([np.ones(seen.sum()), scaled[seen], dosage[index, seen]])
        beta, error = slow_wald(design, case[seen])
        assert found.beta[index] == pytest.approx(beta, abs=1e-5 * error)
        assert found.standard_error[index] == pytest.approx(error, rel=1e-4)
    assert (found.method == Method.WALD).sum() > 15


@pytest.mark.parametrize("missing", [0.0, 0.05])
def test_a_variant_that_is_not_picked_out_has_the_score_test(missing: float) -> None:
    dosage, case, covariates = a_study(3, 400, missing, 2)
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, covariates)
    design = np.column_stack([np.ones(400), covariates / [1, 10]])
    zeros = np.zeros(3)
    null = zeros
    for _ in range(20):
        mean = special.expit(design @ null)
        null = null + np.linalg.solve((design.T * (mean * (1 - mean))) @ design, design.T @ (case - mean))
    scored = np.flatnonzero(found.method == Method.SCORE)
    assert len(scored) > 15
    assert (found.neg_log10_p[scored] < -np.log10(0.05)).all()
    for index in scored:
        seen = dosage[index] >= 0
        beta, error = slow_score(design[seen], dosage[index, seen], case[seen], null)
        assert found.beta[index] == pytest.approx(beta, abs=1e-5 * error)
        assert found.standard_error[index] == pytest.approx(error, rel=1e-5)


def test_an_allele_that_one_group_lacks_is_fitted_by_firths_method() -> None:
    rng = np.random.default_rng(5)
    case = (np.arange(240) < 90).astype(float)
    covariate = rng.standard_normal((240, 1)) + 0.3 * case[:, None]
    dosage = np.zeros((2, 240), np.int8)
    dosage[0, :12] = 1  # in cases alone
    dosage[0, 5] = 2
    dosage[1] = 2 - dosage[0]  # the same, counted the other way
    dosage[:, 100] = -1
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, covariate)
    assert found.method.tolist() == [Method.FIRTH, Method.FIRTH]
    seen = dosage[0] >= 0
    beta, error = slow_firth(np.column_stack([np.ones(239), covariate[seen], dosage[0, seen]]), case[seen])
    np.testing.assert_allclose(found.beta, [beta, -beta], atol=2e-4 * error)
    np.testing.assert_allclose(found.standard_error, error, rtol=2e-4)


def test_counts_are_those_of_cases_and_controls(made_up: np.ndarray) -> None:
    case = (np.arange(203) % 3 == 0).astype(float)
    found = associate_cases(PackedMatrix.from_dosage(made_up), case, np.zeros((203, 0)))
    seen, alleles = made_up >= 0, np.maximum(made_up, 0)
    np.testing.assert_array_equal(found.cases, seen[:, case == 1].sum(axis=1))
    np.testing.assert_array_equal(found.case_alternate, alleles[:, case == 1].sum(axis=1))
    np.testing.assert_array_equal(found.alternate, alleles.sum(axis=1))
    np.testing.assert_allclose(
        (found.alternate - found.case_alternate) / (found.observed - found.cases) / 2,
        alleles[:, case == 0].sum(axis=1) / seen[:, case == 0].sum(axis=1) / 2,
    )


def test_results_do_not_depend_on_threads_or_on_which_variants_stand_beside(made_up: np.ndarray) -> None:
    case = (np.random.default_rng(1).random(203) < 0.4).astype(float)
    covariates = np.random.default_rng(2).standard_normal((203, 17))
    matrix = PackedMatrix.from_dosage(made_up)
    one, three = (associate_cases(matrix, case, covariates, threads=count) for count in (1, 3))
    alone = associate_cases(matrix.select_variants(slice(100, 130)), case, covariates)
    for name in ("beta", "standard_error", "method", "no_fit"):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))
        np.testing.assert_array_equal(getattr(one, name)[100:130], getattr(alone, name))


def test_a_variant_without_an_estimate_says_why() -> None:
    rng = np.random.default_rng(2)
    case = (np.arange(60) < 30).astype(float)
    covariate = rng.binomial(2, 0.5, 60)
    few = np.full(60, -1)
    few[[0, 40, 41]] = 0, 1, 2
    one_group = np.where(case == 1, rng.binomial(2, 0.5, 60), -1)
    dosage = np.array([np.zeros(60), covariate, few, one_group], dtype=np.int8)
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, covariate[:, None].astype(float))
    assert found.no_fit.tolist() == [NoFit.CONSTANT, NoFit.COLLINEAR, NoFit.TOO_FEW, NoFit.TOO_FEW]
    assert np.isnan(found.beta).all()


def test_a_variant_whose_observed_people_the_covariates_almost_separate_is_unsettled() -> None:
    case = np.array([1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0], float)
    covariate = np.array([9, 2, 5, 9, 4, 9, 2, 8, 5, 4, 6, 3, 1], float)
    dosage = np.array([[2, 2, -1, 2, 2, 1, 1, 2, -1, 2, 2, 2, 2]], np.int8)
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, covariate[:, None], refined_p=1)
    assert NoFit(found.no_fit[0]) is NoFit.UNSETTLED
    assert np.isnan(found.beta[0])
    assert found.method[0] == Method.NONE


@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 5), st.booleans())
def test_an_allele_of_few_people_who_are_all_cases_or_all_controls_has_the_estimate_of_half_a_person_more_in_each_cell(
    cases: int, controls: int, carriers: int, of_cases: bool
) -> None:
    case = (np.arange(cases + controls) < cases).astype(float)
    those = np.flatnonzero(case == of_cases)[:carriers]
    dosage = np.zeros((1, len(case)), np.int8)
    dosage[0, those] = 1
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, np.zeros((len(case), 0)), refined_p=1)
    with_allele, without = (
        np.array([(part & (dosage[0] == copies)).sum() for part in (case == 1, case == 0)]) + 0.5 for copies in (1, 0)
    )
    assert found.no_fit[0] == NoFit.NONE
    assert found.method[0] == Method.FIRTH
    expected = np.log(with_allele[0] / with_allele[1] * without[1] / without[0])
    assert found.beta[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("case", "covariates", "code"),
    [
        (np.full(203, 1.0), np.zeros((203, 0)), "analysis.constant-trait"),
        (np.arange(203) % 3 * 1.0, np.zeros((203, 0)), "analysis.not-case-control"),
        (np.where(np.arange(203) < 9, np.nan, 1.0), np.zeros((203, 0)), "analysis.not-case-control"),
        ((np.arange(203) < 50) * 1.0, np.arange(203.0)[:, None], "analysis.separated"),
        ((np.arange(200) < 50) * 1.0, np.zeros((203, 0)), "analysis.shape"),
    ],
)
def test_a_model_that_cannot_be_fitted_is_refused(
    made_up: np.ndarray, case: np.ndarray, covariates: np.ndarray, code: str
) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        associate_cases(PackedMatrix.from_dosage(made_up), case, covariates)
    assert refusal.value.code == code


@pytest.mark.parametrize("missing", [0.0, 0.01])
def test_associations_are_those_of_plink2(
    real_cohort: Any, plink2: Callable[..., Path], tmp_path: Path, missing: float
) -> None:
    rng = np.random.default_rng(4)
    some = np.arange(0, len(real_cohort.dosage), 3)
    dosage = real_cohort.dosage[some].copy()
    people = dosage.shape[1]
    strong = np.argsort(dosage.var(axis=1))[-2:]
    covariates = rng.standard_normal((people, 4))
    odds = covariates[:, 0] + 0.9 * dosage[strong[0]] - 0.5 * dosage[strong[1]]
    case = (rng.random(people) < special.expit(odds - odds.mean() - 0.5)).astype(float)
    dosage[rng.random(dosage.shape) < missing] = -1
    names = [f"c{index}" for index in range(4)]
    rows = [f"s{i}\t{1 + int(case[i])}\t" + "\t".join(map(repr, covariates[i].tolist())) for i in range(people)]
    (tmp_path / "pheno.tsv").write_text("\n".join(["\t".join(["#IID", "trait", *names]), *rows]) + "\n")
    arguments = "--glm hide-covar omit-ref firth-fallback log10 cols=+beta,-orbeta,+firth --pheno pheno.tsv"
    chosen = ["--pheno-name", "trait", "--covar", "pheno.tsv", "--covar-name", ",".join(names)]
    out = plink2(dosage, real_cohort.sites.chromosome[some], *arguments.split(), *chosen)
    header, *lines = [line.split() for line in out.with_name("out.trait.glm.logistic.hybrid").read_text().splitlines()]
    theirs = {name: [line[index] for line in lines] for index, name in enumerate(header)}
    beta, error, logs = (
        np.array([np.nan if cell == "NA" else float(cell) for cell in theirs[name]])
        for name in ("BETA", "SE", "LOG10_P")
    )
    found = associate_cases(PackedMatrix.from_dosage(dosage), case, covariates, refined_p=1.0)
    # plink2 also leaves out nearly collinear variants (VIF > 50).
    both = ~np.isnan(beta) & ~np.isnan(found.beta)
    assert (np.isnan(beta) == np.isnan(found.beta)).mean() > 0.998
    # It tries maximum likelihood first where one group lacks an allele; we do not: both end with Firth's method there.
    firth = np.array(theirs["FIRTH?"]) == "Y"
    same = both & (firth == (found.method == Method.FIRTH))
    assert same.sum() > both.sum() - 3
    assert np.abs((found.beta - beta) / error)[same].max() < 1e-3
    assert np.abs(found.neg_log10_p - logs)[same].max() < 1e-3
    assert logs[same].max() > 20
