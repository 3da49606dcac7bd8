import numpy as np
import pytest

from nebula.analysis.effect import effect_on_trait
from nebula.analysis.mixture import value_at_tail
from nebula.analysis.skat import RHOS, NullModel, beta_weights, run_region_tests


def region(people: int, variants: int, seed: int, *, linked: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.003, 0.02, variants)
    genotypes = rng.binomial(2, frequency, (people, variants)).astype(float)
    if linked:
        genotypes[:, 1] = np.maximum(genotypes[:, 0], genotypes[:, 1])
    genotypes = genotypes[:, genotypes.sum(axis=0) > 0]
    return genotypes, beta_weights(genotypes.mean(axis=0) / 2), rng.standard_normal((people, 2))


def by_simulation(null: NullModel, genotypes: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """The three p-values by drawing scores from their distribution under no effect, nothing else assumed."""
    rng = np.random.default_rng(1)
    weighted = genotypes * weights
    left = null.project(weighted)
    values, vectors = np.linalg.eigh(left.T @ left)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = rng.standard_normal((200_000, len(values))) @ root.T
    scores = null.residual @ weighted

    def statistic(s: np.ndarray, rho: float) -> np.ndarray:
        return (1 - rho) * (s**2).sum(axis=-1) + rho * s.sum(axis=-1) ** 2

    sorted_ = {rho: np.sort(statistic(drawn, rho)) for rho in RHOS}
    p = {rho: 1 - np.searchsorted(sorted_[rho], statistic(scores, rho)) / 200_000 for rho in RHOS}
    least = min(p.values())
    beyond = np.zeros(200_000, bool)
    for rho in RHOS:
        beyond |= statistic(drawn, rho) >= np.quantile(sorted_[rho], 1 - least)
    return p[1.0], p[0.0], float(beyond.mean())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["measured", "cases"])
def test_p_values_are_those_of_simulated_scores(seed: int, kind: str) -> None:
    genotypes, weights, covariates = region(800, 14, seed, linked=seed % 2 == 0)
    rng = np.random.default_rng(100 + seed)
    act = rng.standard_normal(genotypes.shape[1]) if seed < 3 else np.ones(genotypes.shape[1])
    trait = rng.standard_normal(800) + covariates[:, 0] + 0.15 * genotypes @ act
    if kind == "cases":
        trait = (trait > 0.5).astype(float)
    null = NullModel.fit(trait, covariates)
    found = run_region_tests(null, genotypes, weights)
    burden, skat, best = by_simulation(null, genotypes, weights)
    for ours, theirs, slack in ((found.burden, burden, 0.0), (found.skat, skat, 0.0), (found.skat_o, best, 0.06)):
        p = 10**-ours
        noise = 4 * np.sqrt(p * (1 - p) / 200_000) + 1e-5
        assert abs(p - theirs) < noise + slack * theirs


def test_a_burden_is_the_score_test_of_the_weighted_sum() -> None:
    genotypes, weights, covariates = region(2000, 10, 4)
    trait = np.random.default_rng(5).standard_normal(2000) + 0.3 * genotypes.sum(axis=1)
    found = run_region_tests(NullModel.fit(trait, covariates), genotypes, weights)
    wald = effect_on_trait(trait, genotypes @ weights, covariates)
    assert found.burden == pytest.approx(wald.neg_log10_p, rel=0.03)
    assert found.rho > 0


def test_one_variant_alone_is_tested_once() -> None:
    genotypes, weights, covariates = region(900, 1, 8)
    trait = np.random.default_rng(6).standard_normal(900) + genotypes[:, 0]
    found = run_region_tests(NullModel.fit(trait, covariates), genotypes, weights)
    assert found.burden == pytest.approx(found.skat)
    assert found.skat_o == pytest.approx(found.skat)


def test_the_same_variant_twice_leaves_nothing_beside_the_burden() -> None:
    genotypes, weights, covariates = region(900, 1, 8)
    trait = np.random.default_rng(7).standard_normal(900) + genotypes[:, 0]
    twice = run_region_tests(NullModel.fit(trait, covariates), np.repeat(genotypes, 2, axis=1), np.repeat(weights, 2))
    once = run_region_tests(NullModel.fit(trait, covariates), genotypes, weights)
    assert twice.skat_o == pytest.approx(once.skat, rel=1e-3)


def test_far_out_the_best_mixture_costs_little_and_nothing_underflows() -> None:
    genotypes, weights, covariates = region(3000, 20, 9)
    trait = np.random.default_rng(7).standard_normal(3000) + 6 * genotypes.sum(axis=1)
    found = run_region_tests(NullModel.fit(trait, covariates), genotypes, weights)
    assert found.burden > 50
    assert found.skat_o > max(found.burden, found.skat) - 1
    assert found.skat_o < max(found.burden, found.skat) + 20
    assert np.isfinite(value_at_tail(weights, -1000.0))


def test_weights_are_the_beta_density() -> None:
    from scipy import stats

    frequency = np.array([1e-4, 0.01, 0.2])
    np.testing.assert_allclose(beta_weights(frequency), stats.beta.pdf(frequency, 1, 25))
