from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nebula.analysis.scores import score_people
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


def slow_scores(dosage: np.ndarray, weights: np.ndarray, turned: np.ndarray, *, impute: bool) -> np.ndarray:
    """Every person's alleles, written out."""
    seen = dosage >= 0
    effect = np.where(turned[:, None], 2 - dosage, dosage).astype(float)
    means = np.array([row[ok].mean() if ok.any() else 0.0 for row, ok in zip(effect, seen, strict=True)])
    return np.where(seen, effect, means[:, None] if impute else 0.0).T @ weights


@pytest.mark.parametrize("impute", [True, False])
def test_a_score_is_the_weighted_sum_of_effect_alleles(made_up: np.ndarray, impute: bool) -> None:
    rng = np.random.default_rng(0)
    weights, turned = rng.standard_normal((600, 20)), rng.random(600) < 0.5
    weights[rng.random(weights.shape) < 0.4] = 0
    found = score_people(PackedMatrix.from_dosage(made_up), weights, effect_is_reference=turned, impute=impute)
    expected = slow_scores(made_up, weights, turned, impute=impute)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_weights_that_do_not_fit_are_refused(made_up: np.ndarray) -> None:
    matrix = PackedMatrix.from_dosage(made_up)
    for weights in (np.zeros((599, 1)), np.zeros(600), np.full((600, 1), np.nan)):
        with pytest.raises(RejectedInputError) as refusal:
            score_people(matrix, weights)
        assert refusal.value.code == "analysis.weights"


def test_scores_are_those_of_plink2(real_cohort: Any, plink2: Callable[..., Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    varying = real_cohort.dosage.max(axis=1) > 0
    dosage = real_cohort.dosage[varying].copy()
    dosage[rng.random(dosage.shape) < 0.01] = -1
    weights = rng.standard_normal((len(dosage), 3))
    rows = [f"v{index}\tC\t" + "\t".join(map(repr, row)) for index, row in enumerate(weights.tolist())]
    (tmp_path / "scores.tsv").write_text("\n".join(rows) + "\n")
    arguments = "--score scores.tsv 1 2 cols=+scoresums --score-col-nums 3-5".split()  # noqa: SIM905
    out = plink2(dosage, real_cohort.sites.chromosome[varying], *arguments)
    header, *lines = [line.split() for line in out.with_suffix(".sscore").read_text().splitlines()]
    columns = [index for index, name in enumerate(header) if name.endswith("_SUM") and name.startswith("SCORE")]
    theirs = np.array([[float(line[index]) for index in columns] for line in lines])
    found = score_people(PackedMatrix.from_dosage(dosage), weights)
    np.testing.assert_allclose(found, theirs, atol=2e-3)
