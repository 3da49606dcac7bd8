import math
from collections.abc import Callable
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.frequency import GenotypeCounts
from nebula.genome.matrix import PackedMatrix


def slow_exact_test(hom_ref: int, het: int, hom_alt: int, tied: Fraction = Fraction(1)) -> float:
    """Every heterozygote count's chance by counting arrangements."""
    people, rare = hom_ref + het + hom_alt, min(2 * hom_ref + het, 2 * hom_alt + het)

    def arrangements(hets: int) -> int:
        few = (rare - hets) // 2
        return comb(people, hets) * comb(people - hets, few) * 2**hets

    chances = {hets: arrangements(hets) for hets in range(rare % 2, rare + 1, 2)}
    seen = chances[het]
    less, alike = (sum(filter(test, chances.values())) for test in (lambda c: c < seen, lambda c: c == seen))
    return float((less + tied * alike) / sum(chances.values()))


# Few people, or many: near the proportions where heterozygotes are about twice the root of both homozygotes' product.
SOME = st.tuples(*[st.integers(0, 60)] * 3)
MANY = st.builds(
    lambda one, other, more: (one, max(0, 2 * math.isqrt(one * other) + more), other),
    st.integers(0, 150),
    st.integers(0, 150),
    st.integers(-60, 60),
)


@given(st.lists(SOME | MANY, min_size=1, max_size=5))
def test_the_exact_test_is_that_of_counting_arrangements(genotypes: list[tuple[int, int, int]]) -> None:
    counts = np.array([(*row, 7) for row in genotypes], dtype=np.int64)
    expected = [slow_exact_test(*row) for row in genotypes]
    np.testing.assert_allclose(GenotypeCounts(counts).hardy_weinberg(), expected, rtol=1e-9)


@given(st.lists(SOME | MANY, min_size=1, max_size=5))
def test_mid_p_counts_what_is_as_likely_as_what_was_seen_by_half(genotypes: list[tuple[int, int, int]]) -> None:
    counts = np.array([(*row, 7) for row in genotypes], dtype=np.int64)
    expected = [slow_exact_test(*row, tied=Fraction(1, 2)) for row in genotypes]
    np.testing.assert_allclose(GenotypeCounts(counts).hardy_weinberg(mid=True), expected, rtol=1e-9)


def test_frequencies_leave_missing_genotypes_out_of_both_halves(made_up: np.ndarray) -> None:
    made_up[3] = -1
    found = GenotypeCounts.of(PackedMatrix.from_dosage(made_up))
    seen = made_up >= 0
    expected = np.array([row[ok].mean() / 2 if ok.any() else np.nan for row, ok in zip(made_up, seen, strict=True)])
    np.testing.assert_allclose(found.frequency, expected)
    np.testing.assert_array_equal(found.observed, seen.sum(axis=1))
    np.testing.assert_allclose(found.missing_share, 1 - seen.mean(axis=1))
    assert (found.minor <= found.observed).all()


@pytest.mark.parametrize(("options", "column"), [(["--hardy"], "P"), (["--hardy", "midp"], "MIDP")])
def test_the_exact_test_agrees_with_plink2(
    real_cohort: Any, plink2: Callable[..., Path], options: list[str], column: str
) -> None:
    out = plink2(real_cohort.dosage, real_cohort.sites.chromosome, *options)
    lines = [line.split() for line in out.with_suffix(".hardy").read_text().splitlines()]
    theirs = np.array([float(line[lines[0].index(column)]) for line in lines[1:]])
    ours = GenotypeCounts.of(PackedMatrix.from_dosage(real_cohort.dosage)).hardy_weinberg(mid=column == "MIDP")
    # Its p underflows to zero where ours stops at the smallest normal double.
    written = theirs > 1e-300
    assert written.mean() > 0.9
    np.testing.assert_allclose(ours[written], theirs[written], rtol=1e-4)
    assert (ours[~written] < 1e-290).all()
