import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula import _native
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.products import dosage_lines, genotypes_times, standardised_lines, transposed_genotypes_times
from nebula.genome.matrix import PackedMatrix


def slow_numbers(dosage: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Every genotype's number, written out."""
    return np.where(dosage >= 0, lines[:, :1] + lines[:, 1:2] * dosage, lines[:, 2:])


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    columns=st.integers(1, 35),
    missing=st.sampled_from([0.0, 0.1]),
    threads=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_a_product_is_that_of_the_numbers_written_out(
    shape: tuple[int, int], columns: int, missing: float, threads: int, seed: int
) -> None:
    people, variants = shape
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.beta(0.3, 0.3, (variants, 1)), (variants, people)).astype(np.int8)
    dosage[rng.random(dosage.shape) < missing] = -1
    matrix, lines = PackedMatrix.from_dosage(dosage), rng.standard_normal((variants, 3))
    numbers = slow_numbers(dosage, lines)
    right, left = rng.standard_normal((people, columns)), rng.standard_normal((variants, columns))
    forward = genotypes_times(matrix, lines, right, threads=threads)
    backward = transposed_genotypes_times(matrix, lines, left, threads=threads)
    np.testing.assert_allclose(forward, numbers @ right, atol=2e-5 * people**0.5)
    np.testing.assert_allclose(backward, numbers.T @ left, atol=2e-5 * variants**0.5)


def test_products_do_not_depend_on_threads(made_up: np.ndarray) -> None:
    matrix = PackedMatrix.from_dosage(made_up)
    lines, columns = dosage_lines(GenotypeCounts.of(matrix)), np.random.default_rng(0).standard_normal((203, 5))
    one, three = (genotypes_times(matrix, lines, columns, threads=count) for count in (1, 3))
    np.testing.assert_array_equal(one, three)
    one, three = (transposed_genotypes_times(matrix, lines, one, threads=count) for count in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_standardised_genotypes_have_no_mean_and_a_missing_one_is_the_mean(made_up: np.ndarray) -> None:
    counts = GenotypeCounts.of(PackedMatrix.from_dosage(made_up))
    varying = counts.minor > 0
    some = PackedMatrix.from_dosage(made_up[varying])
    counts = GenotypeCounts.of(some)
    ones = np.ones((203, 1))
    np.testing.assert_allclose(genotypes_times(some, standardised_lines(counts), ones), 0, atol=1e-4)
    means = genotypes_times(some, dosage_lines(counts), ones) / 203
    np.testing.assert_allclose(means[:, 0], 2 * counts.frequency, atol=1e-6)


def test_shapes_that_do_not_fit_are_refused() -> None:
    packed, lines = np.zeros((3, 2), np.uint8), np.zeros((3, 3))
    with pytest.raises(ValueError, match="bytes"):
        _native.genotypes_times(packed, lines, np.zeros((9, 1)), 1)
    with pytest.raises(ValueError, match="lines"):
        _native.genotypes_times(packed, lines[:2], np.zeros((8, 1)), 1)
    with pytest.raises(ValueError, match="do not fit"):
        _native.transposed_genotypes_times(packed, 8, lines, np.zeros((4, 1)), 1)
    assert _native.genotypes_times(packed[:0], lines[:0], np.zeros((8, 2)), 1).shape == (0, 2)
