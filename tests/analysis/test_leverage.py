import numpy as np
import pytest

from nebula.analysis.leverage import block_leverage, mean_dosage, row_leverage
from nebula.analysis.linear import covariate_basis
from nebula.genome.matrix import PackedMatrix


def hat(design: np.ndarray) -> np.ndarray:
    return np.diag(design @ np.linalg.pinv(design))


@pytest.fixture
def people(made_up: np.ndarray) -> tuple[PackedMatrix, np.ndarray]:
    return PackedMatrix.from_dosage(made_up), np.random.default_rng(0).standard_normal((203, 4))


def test_a_row_has_the_leverage_of_the_hat_matrix_or_less_than_a_tenth(people: tuple) -> None:
    matrix, covariates = people
    # Two of the variants among the covariates, so that their neighbours in the matrix have little left.
    covariates = np.hstack([covariates, mean_dosage(matrix, [5, 9])])
    found = row_leverage(matrix, covariate_basis(covariates, 203))
    base = np.column_stack([np.ones(203), covariates])
    exact = 0
    for row in range(600):
        genotypes = mean_dosage(matrix, [row])
        if np.ptp(genotypes - base @ np.linalg.lstsq(base, genotypes, rcond=None)[0]) < 1e-6:
            continue
        expected = (hat(np.hstack([base, genotypes])) - hat(base)).max()
        if found[row]:
            exact += 1
            assert found[row] == pytest.approx(expected, rel=1e-3)
        else:
            assert expected < 0.1
    assert exact > 50


def test_a_block_has_the_leverage_of_its_strongest_mixture() -> None:
    """Two variants with the same carriers but for one person: neither stands out, their difference does."""
    first = (np.arange(200) < 40).astype(float)
    second = first.copy()
    second[150] = 1
    none = np.zeros((200, 0))
    assert block_leverage(first[:, None], none) < 0.03
    assert block_leverage(np.column_stack([first, second]), none) > 0.9
    assert block_leverage(np.zeros((200, 0)), none) == 0.0


def test_missing_genotypes_are_at_the_mean() -> None:
    dosage = np.array([[0, 1, 2, -1]], np.int8)
    assert mean_dosage(PackedMatrix.from_dosage(dosage), [0])[:, 0].tolist() == [0, 1, 2, 1]
