"""Weights are the buyer's to choose: none may single a person out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.score_parameters import PolygenicScore
from nebula.disclosure.cut_score import join_small_groups
from nebula.disclosure.release import ReleaseContext, Released, ReleaseTerms, release
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import NebulaError, NotPermittedError, RejectedInputError
from nebula.protocol.study import ResultClass

PEOPLE, VARIANTS = 1000, 1500


@pytest.fixture(scope="module")
def dosage() -> np.ndarray:
    rng = np.random.default_rng(0)
    made = rng.binomial(2, rng.uniform(0.05, 0.5, (VARIANTS, 1)), (VARIANTS, PEOPLE)).astype(np.int8)
    made[0] = 0
    made[0, 77] = 2  # a variant of one person alone
    return made


@pytest.fixture(scope="module")
def cohort(dosage: np.ndarray) -> CohortInput:
    alleles = np.array(["A"] * VARIANTS, object), np.array(["C"] * VARIANTS, object)
    sites = Sites(np.array(["1"] * VARIANTS), np.arange(1, VARIANTS + 1), *alleles)
    trait = np.random.default_rng(1).standard_normal(PEOPLE)
    return CohortInput(PackedMatrix.from_dosage(dosage), sites, {"trait": trait}, "GRCh38")


def ask(cohort: CohortInput, weights: np.ndarray, **changes: object) -> Released:
    rows = tuple(f"1:{i + 1}:C:A:{w:.6f}" for i, w in enumerate(weights.tolist()) if w)
    parameters = PolygenicScore(**{"score": "mine", "build": "GRCh38", "rows": rows, "pcs": 0} | changes)
    result = run("polygenic-score@1", parameters, cohort)
    terms = ReleaseTerms(ResultClass.FULL, 1)
    return release(result, terms, ReleaseContext(PEOPLE, PEOPLE, buyer_accredited=True))


def refused(cohort: CohortInput, weights: np.ndarray, **changes: object) -> str:
    with pytest.raises(NebulaError) as refusal:
        ask(cohort, weights, **changes)
    assert isinstance(refusal.value, NotPermittedError | RejectedInputError)
    return refusal.value.code


def test_an_ordinary_score_leaves_as_groups_and_one_effect(cohort: CohortInput) -> None:
    weights = np.random.default_rng(2).standard_normal(VARIANTS)
    released = ask(cohort, weights, trait="trait")
    assert released.table["people"].tolist() == [100] * 10
    assert set(released.to_files()) == {"score_distribution.tsv", "score_association.tsv", "metadata.yaml"}
    assert released.summary["variants_scored"] == VARIANTS - 1
    for column in (*released.table.values(), *released.more["score_association.tsv"].values()):
        assert len(column) < 20  # nothing is as long as the cohort


def test_a_score_of_one_persons_variant_is_refused(cohort: CohortInput) -> None:
    only = np.zeros(VARIANTS)
    only[0] = 1
    assert refused(cohort, only) == "analysis.score-empty"
    # Hidden among common ones it weighs nothing, whatever its weight.
    hidden = np.r_[1000.0, np.random.default_rng(3).standard_normal(VARIANTS - 1)]
    without = hidden.copy()
    without[0] = 0
    for name in ("mean", "standard_deviation"):
        assert ask(cohort, hidden).summary[name] == ask(cohort, without).summary[name]


def test_weights_made_to_point_at_a_person_whose_genome_is_known_are_refused(
    cohort: CohortInput, dosage: np.ndarray
) -> None:
    """The direction of one person's genome: they stand further out than everybody else together."""
    common = dosage[1:].astype(float)
    centred = common - common.mean(axis=1, keepdims=True)
    # What tells the person from all others, by least squares over the others' genomes.
    target = np.zeros(PEOPLE)
    target[500] = 1.0
    weights, *_ = np.linalg.lstsq(centred.T, target - target.mean(), rcond=None)
    scores = weights @ common
    assert scores.argmax() == 500
    assert refused(cohort, np.r_[0, 1000 * weights], trait="trait") == "disclosure.one-person"
    assert refused(cohort, np.r_[0, 1000 * weights]) == "disclosure.one-person"


@given(st.lists(st.tuples(st.integers(1, 200), st.floats(-5, 5)), min_size=1, max_size=20))
def test_no_group_has_fewer_than_ten_people_and_nobody_is_lost(groups: list[tuple[int, float]]) -> None:
    people, means = (np.array(column) for column in zip(*groups, strict=True))
    joined = join_small_groups({"group": np.arange(len(groups)), "people": people, "mean_score": means})
    assert joined["people"].sum() == people.sum()
    assert len(joined["people"]) == 1 or joined["people"].min() >= 10
    np.testing.assert_allclose((joined["people"] * joined["mean_score"]).sum(), (people * means).sum(), atol=1e-9)
