from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nebula.analysis.kinship import RELATED, Kinship, find_relatives
from nebula.genome.matrix import PackedMatrix


def slow_kinship(one: np.ndarray, other: np.ndarray) -> float:
    """The paper's formula for a pair, over the variants that both have."""
    both = (one >= 0) & (other >= 0)
    a, b = one[both], other[both]
    fewer = min((a == 1).sum(), (b == 1).sum())
    if not fewer:
        return np.nan
    shared = ((a == 1) & (b == 1)).sum() - 2 * (np.abs(a - b) == 2).sum()
    return shared / (2 * fewer) + 0.5 - ((a == 1).sum() + (b == 1).sum()) / (4 * fewer)


def a_child(mother: np.ndarray, father: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return sum(np.where(parent == 1, rng.integers(0, 2, len(parent)), parent // 2) for parent in (mother, father))


@settings(max_examples=25, deadline=None)
@given(
    people=st.integers(2, 75),
    variants=st.integers(1, 400),
    missing=st.sampled_from([0.0, 0.1]),
    threads=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_every_pairs_kinship_is_that_of_the_formula(
    people: int, variants: int, missing: float, threads: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0, 1, (variants, 1)), (variants, people)).astype(np.int8)
    dosage[rng.random(dosage.shape) < missing] = -1
    found = find_relatives(PackedMatrix.from_dosage(dosage), -np.inf, threads=threads)
    pairs = list(combinations(range(people), 2))
    assert list(zip(found.first, found.second, strict=True)) == pairs
    expected = [slow_kinship(dosage[:, one], dosage[:, other]) for one, other in pairs]
    np.testing.assert_allclose(found.kinship, expected, rtol=1e-12)


def test_with_somebody_who_has_no_heterozygote_there_is_no_kinship() -> None:
    dosage = np.array([[0, 2, 1], [0, 2, 1], [1, 0, 1]], np.int8)
    found = find_relatives(PackedMatrix.from_dosage(dosage), -np.inf)
    assert np.isnan(found.kinship).tolist() == [True, False, True]


def test_a_family_is_found_with_its_degrees_and_only_strangers_stay() -> None:
    rng = np.random.default_rng(1)
    strangers = rng.binomial(2, rng.uniform(0.1, 0.9, (9000, 1)), (9000, 8)).astype(np.int8)
    child = a_child(strangers[:, 0], strangers[:, 1], rng)
    sibling = a_child(strangers[:, 0], strangers[:, 1], rng)
    grandchild = a_child(child, strangers[:, 2], rng)
    dosage = np.column_stack([strangers, child, sibling, grandchild, strangers[:, 5]]).astype(np.int8)
    found = find_relatives(PackedMatrix.from_dosage(dosage))
    assert found.degrees().tolist() == [1, 7, 3, 0]
    families = found.families()
    assert len(set(families)) == 12 - 5 - 1
    assert families[5] == families[11]
    kept = found.unrelated()
    assert kept.tolist() == [True] * 8 + [False] * 4


@example([(0, 1), (1, 4), (2, 3), (3, 4)])
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_of_those_kept_no_two_are_relatives_and_everybody_else_has_one_among_them(pairs: list) -> None:
    distinct = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    first, second = (np.array([pair[side] for pair in distinct], dtype=np.int64) for side in (0, 1))
    kinship = Kinship(first, second, np.full(len(distinct), RELATED), 12)
    kept = kinship.unrelated()
    assert not (kept[first] & kept[second]).any()
    for person in np.flatnonzero(~kept):
        others = {*second[first == person], *first[second == person]}
        assert kept[list(others)].any()
    assert len(set(kinship.families())) <= kept.sum()


def test_kinship_is_that_of_plink2(real_cohort: Any, plink2: Callable[..., Path]) -> None:
    rng = np.random.default_rng(0)
    dosage = real_cohort.dosage[:, ::5].copy()
    dosage[rng.random(dosage.shape) < 0.01] = -1
    out = plink2(dosage, real_cohort.sites.chromosome, "--make-king-table", "cols=id,kinship")
    header, *lines = [line.split("\t") for line in out.with_suffix(".kin0").read_text().splitlines()]
    one, other = (header.index(name) for name in ("#IID1", "IID2"))
    theirs = {
        tuple(sorted((int(line[one][1:]), int(line[other][1:])))): float(line[header.index("KINSHIP")])
        for line in lines
    }
    found = find_relatives(PackedMatrix.from_dosage(dosage), -np.inf)
    assert len(theirs) == len(found.first)
    expected = [theirs[pair] for pair in zip(found.first.tolist(), found.second.tolist(), strict=True)]
    # It writes six digits.
    np.testing.assert_allclose(found.kinship, expected, atol=1e-6, rtol=6e-6)
