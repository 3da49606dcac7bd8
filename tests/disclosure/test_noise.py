import math

import numpy as np
import pytest
from scipy import stats

from nebula.disclosure.budget import MICRO
from nebula.disclosure.noise import count_sensitivity, noise_scale, noised_counts


def test_one_person_moves_the_counts_by_no_more_than_the_sensitivity() -> None:
    rng = np.random.default_rng(0)
    person, other = rng.integers(0, 3, (2, 500))
    assert np.linalg.norm(person - other) <= count_sensitivity(500)
    assert np.linalg.norm(np.full(500, 2)) == pytest.approx(count_sensitivity(500))


@pytest.mark.parametrize(("variants", "micro_rho"), [(20_000, 500_000), (20_000, 10_000), (20_000, 2_000_000)])
def test_noise_has_the_scale_that_its_budget_buys(variants: int, micro_rho: int) -> None:
    people = 10_000_000  # so that nothing is clipped
    found = noised_counts(np.full(variants, people), people, micro_rho)
    noise = (found.counts - people) / found.scale
    assert found.scale == pytest.approx(2 * math.sqrt(variants) / math.sqrt(2 * micro_rho / MICRO))
    assert found.scale == noise_scale(variants, micro_rho)
    # Six standard errors of mean and deviation: a false alarm once in 10^8.
    assert abs(noise.mean()) < 6 / math.sqrt(variants)
    assert abs(noise.std() - 1) < 6 / math.sqrt(2 * variants)
    assert stats.kstest(noise, "norm").statistic < 0.03


def test_less_budget_means_more_noise_and_more_variants_too() -> None:
    assert noise_scale(100, 1_000) > noise_scale(100, 2_000)
    assert noise_scale(200, 1_000) > noise_scale(100, 1_000)


def test_noised_counts_are_possible_counts() -> None:
    found = noised_counts(np.tile([0, 200], 200), 100, 10_000)
    assert found.counts.min() == 0
    assert found.counts.max() == 200


def test_two_draws_differ_because_no_seed_exists() -> None:
    counts = np.full(200, 500)
    assert (noised_counts(counts, 1000, 100_000).counts != noised_counts(counts, 1000, 100_000).counts).any()


@pytest.mark.parametrize("micro_rho", [0, -1])
def test_noise_is_never_free(micro_rho: int) -> None:
    with pytest.raises(ValueError, match="budget above zero"):
        noised_counts(np.array([5]), 10, micro_rho)
