from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.structure import leading_components, principal_components, prune_linked
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


def slow_components(dosage: np.ndarray, count: int) -> np.ndarray:
    """Eigenvectors of the whole relationship matrix."""
    seen = dosage >= 0
    twice = np.where(seen, dosage, 0).sum(axis=1, keepdims=True) / seen.sum(axis=1, keepdims=True)
    standard = np.where(seen, (dosage - twice) / np.sqrt(twice * (1 - twice / 2)), 0.0)
    return np.linalg.eigh(standard.T @ standard)[1][:, ::-1][:, :count]


@pytest.fixture
def varying(made_up: np.ndarray) -> PackedMatrix:
    matrix = PackedMatrix.from_dosage(made_up)
    return matrix.select_variants(GenotypeCounts.of(matrix).minor > 0)


def test_components_are_the_eigenvectors_of_the_relationship_matrix(varying: PackedMatrix) -> None:
    found, expected = principal_components(varying, 2, seed=1), slow_components(varying.dosage(), 2)
    np.testing.assert_allclose(np.abs((found * expected).sum(axis=0)), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1)


def test_equal_seeds_give_equal_components_with_one_sign(varying: PackedMatrix) -> None:
    once, again = (principal_components(varying, 3, seed=7) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    strongest = np.abs(once).argmax(axis=0)
    assert (once[strongest, range(3)] > 0).all()


def test_components_do_not_depend_on_threads(varying: PackedMatrix) -> None:
    one, three = (leading_components(varying, 3, seed=7, threads=count) for count in (1, 3))
    np.testing.assert_array_equal(one.vectors, three.vectors)


def test_a_component_knows_its_eigenvalue_and_how_still_it_stands(varying: PackedMatrix) -> None:
    found, expected = leading_components(varying, 2, seed=1), slow_components(varying.dosage(), 2)
    dosage = varying.dosage().astype(float)
    seen = dosage >= 0
    twice = np.where(seen, dosage, 0).sum(axis=1, keepdims=True) / seen.sum(axis=1, keepdims=True)
    standard = np.where(seen, (dosage - twice) / np.sqrt(twice * (1 - twice / 2)), 0.0)
    values = np.linalg.norm(standard @ expected, axis=0) ** 2 / varying.variants
    np.testing.assert_allclose(found.values, values, rtol=1e-5)
    assert (found.residuals < 1e-3).all()


def test_more_components_than_people_are_refused(varying: PackedMatrix) -> None:
    few = varying.select_samples(np.arange(5))
    with pytest.raises(RejectedInputError) as refusal:
        principal_components(few, 5, seed=0)
    assert refusal.value.code == "analysis.too-many-components"


def test_no_kept_pair_in_a_window_is_linked() -> None:
    rng = np.random.default_rng(8)
    base = rng.binomial(2, 0.4, (120, 150))
    copied = np.repeat(base, 3, axis=0)
    copied = np.where(rng.random(copied.shape) < 0.2, rng.binomial(2, 0.4, copied.shape), copied).astype(np.int8)
    chromosome = np.repeat([1, 2], 180)
    kept = np.flatnonzero(prune_linked(PackedMatrix.from_dosage(copied), chromosome, window=10, step=1, r_squared=0.3))
    squared = np.corrcoef(copied[kept]) ** 2
    near = (np.abs(kept[:, None] - kept) < 10) & (chromosome[kept][:, None] == chromosome[kept])
    np.fill_diagonal(near, val=False)
    assert squared[near].max() <= 0.3
    assert 100 < len(kept) < 200


@pytest.mark.parametrize("missing", [0.0, 0.02])
def test_pruning_keeps_what_plink2_keeps(real_cohort: Any, plink2: Callable[..., Path], missing: float) -> None:
    dosage = real_cohort.dosage.copy()
    dosage[np.random.default_rng(0).random(dosage.shape) < missing] = -1
    out = plink2(dosage, real_cohort.sites.chromosome, "--indep-pairwise", "50", "5", "0.1")
    theirs = {int(name[1:]) for name in out.with_suffix(".prune.in").read_text().split()}
    ours = np.flatnonzero(prune_linked(PackedMatrix.from_dosage(dosage), real_cohort.sites.chromosome, r_squared=0.1))
    assert set(ours.tolist()) == theirs


def test_components_of_real_people_are_plink2s_and_tell_the_continents_apart(
    real_cohort: Any, plink2: Callable[..., Path], shared_data: Path
) -> None:
    common = GenotypeCounts.of(PackedMatrix.from_dosage(real_cohort.dosage)).minor > 250
    dosage = real_cohort.dosage[common]
    out = plink2(dosage, real_cohort.sites.chromosome[common], "--pca", "6")
    rows = [line.split()[-6:] for line in out.with_suffix(".eigenvec").read_text().splitlines()[1:]]
    theirs = np.array(rows, dtype=float)
    ours = principal_components(PackedMatrix.from_dosage(dosage), 6, seed=3)
    # Cosines between the spaces and between each pair of axes.
    assert np.linalg.svd(ours.T @ theirs)[1].min() > 0.9999
    assert np.abs((ours * theirs).sum(axis=0)).min() > 0.9999
    lines = (shared_data / "cohort/populations.tsv").read_text().splitlines()[1:]
    group = {line.split("\t")[0]: line.split("\t")[2] for line in lines}
    labels = np.array([group[name] for name in real_cohort.samples])
    centres = {name: ours[labels == name, :4].mean(axis=0) for name in set(labels) - {"AMR"}}
    nearest = [min(centres, key=lambda name: np.linalg.norm(row - centres[name])) for row in ours[:, :4]]
    unmixed = labels != "AMR"
    assert (np.array(nearest) == labels)[unmixed].mean() > 0.97
