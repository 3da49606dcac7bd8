import numpy as np
import pytest

from nebula.analysis.effect import effect_on_trait, is_case_control
from nebula.protocol.errors import RejectedInputError


@pytest.fixture
def people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    predictor, covariates = rng.gamma(2.0, size=300), rng.standard_normal((300, 3))
    predictor = predictor + covariates[:, 0]
    return predictor, covariates, 10 + 0.4 * predictor + covariates @ [1.0, -2.0, 0.0] + rng.standard_normal(300)


def test_a_measured_trait_is_that_of_statsmodels(people: tuple) -> None:
    sm = pytest.importorskip("statsmodels.api")
    predictor, covariates, trait = people
    found = effect_on_trait(trait, predictor, covariates)
    peer = sm.OLS(trait, sm.add_constant(np.column_stack([covariates, predictor]))).fit()
    np.testing.assert_allclose([found.beta, found.standard_error], [peer.params[-1], peer.bse[-1]], rtol=1e-9)
    assert found.neg_log10_p == pytest.approx(-np.log10(peer.pvalues[-1]))
    without = sm.OLS(trait, sm.add_constant(covariates)).fit()
    assert found.explained == pytest.approx(1 - peer.ssr / without.ssr)


def test_a_trait_that_the_predictor_explains_whole_is_certain() -> None:
    predictor = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    found = effect_on_trait(2 * predictor, predictor, np.zeros((6, 0)))
    assert (found.beta, found.explained) == (pytest.approx(2.0), pytest.approx(1.0))
    assert found.standard_error == pytest.approx(0.0, abs=1e-7)
    assert found.neg_log10_p > 20


def test_cases_and_controls_are_those_of_statsmodels(people: tuple) -> None:
    sm = pytest.importorskip("statsmodels.api")
    predictor, covariates, trait = people
    case = (trait > np.median(trait)).astype(float)
    found = effect_on_trait(case + 1, predictor, covariates)
    peer = sm.Logit(case, sm.add_constant(np.column_stack([covariates, predictor]))).fit(disp=0, tol=1e-12)
    assert found.test == "WALD"
    np.testing.assert_allclose([found.beta, found.standard_error], [peer.params[-1], peer.bse[-1]], rtol=1e-6)
    assert found.neg_log10_p == pytest.approx(-np.log10(peer.pvalues[-1]), rel=1e-6)


def test_where_cases_are_separated_the_penalised_likelihood_has_its_maximum() -> None:
    """Firth's estimate is where likelihood times the root of the information's determinant is largest."""
    from scipy import optimize, special

    rng = np.random.default_rng(5)
    predictor = np.r_[np.zeros(40), np.ones(12)]
    case = np.r_[rng.random(40) < 0.4, np.ones(12)].astype(float)
    covariate = rng.standard_normal(52)
    design = np.column_stack([np.ones(52), covariate, predictor])

    def penalised(factors: np.ndarray) -> float:
        line = design @ factors
        mean = special.expit(line)
        information = (design.T * (mean * (1 - mean))) @ design
        return -(case @ line - np.logaddexp(0, line).sum() + 0.5 * np.linalg.slogdet(information)[1])

    best = optimize.minimize(penalised, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
    found = effect_on_trait(case, predictor, covariate[:, None])
    assert found.test == "FIRTH"
    assert found.beta == pytest.approx(best[2], abs=1e-5)


@pytest.mark.parametrize("share", [0.005, 0.02, 0.5])
@pytest.mark.parametrize("carriers", [1, 10, 20, 80, 1_000])
def test_carriers_who_are_all_cases_have_the_odds_of_the_table_with_half_a_person_more(
    carriers: int, share: float
) -> None:
    """Firth's penalty adds a half to each cell of a table of two by two (Heinze and Schemper 2002)."""
    people = 5_000
    cases = max(round(share * people), carriers)
    case, carries = (np.arange(people) < count for count in (cases, carriers))
    expected = np.log((carriers + 0.5) / 0.5) - np.log((cases - carriers + 0.5) / (people - cases + 0.5))
    found = effect_on_trait(case.astype(float), carries.astype(float), np.zeros((people, 0)))
    assert found.test == "FIRTH"
    assert found.beta == pytest.approx(expected, rel=1e-6)


def test_leverage_is_that_of_the_hat_matrix(people: tuple) -> None:
    predictor, covariates, trait = people
    whole, part = (
        np.column_stack([np.ones(300), covariates, predictor]),
        np.column_stack([np.ones(300), covariates]),
    )
    hats = [design @ np.linalg.pinv(design) for design in (whole, part)]
    expected = (np.diag(hats[0]) - np.diag(hats[1])).max()
    assert effect_on_trait(trait, predictor, covariates).leverage == pytest.approx(expected)
    alone = np.zeros(300)
    alone[7] = 1.0
    assert effect_on_trait(trait, alone, covariates).leverage > 0.95
    ten = (np.arange(300) < 10).astype(float)
    assert effect_on_trait(trait, ten, np.zeros((300, 0))).leverage == pytest.approx(0.1, abs=0.005)


def test_a_predictor_that_says_nothing_of_its_own_is_refused(people: tuple) -> None:
    _, covariates, trait = people
    for predictor in (np.full(300, 0.3), 2 * covariates[:, 0] - covariates[:, 2] + 1):
        with pytest.raises(RejectedInputError) as refusal:
            effect_on_trait(trait, predictor, covariates)
        assert refusal.value.code == "analysis.constant-predictor"


def test_a_trait_of_two_values_is_one_of_cases() -> None:
    assert is_case_control(np.array([1.0, 2.0, 1.0]))
    assert not is_case_control(np.array([1.0, 2.0, 3.0]))
