"""One person among a reference's people: beside themselves where they are one of them, and among their like."""

from dataclasses import replace

import numpy as np
import pytest

from nebula.analysis.inputs import Sites
from nebula.analysis.own_place import ScoreStanding, place_on_components, stand_on_score
from nebula.analysis.scoring_file import ScoreVariant
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError

DRAW = np.random.default_rng(7)
VARIANTS, PEOPLE = 1_500, 60
FREQUENCY = np.clip(DRAW.uniform(0.2, 0.8, (VARIANTS, 1)) + DRAW.normal(0, 0.15, (VARIANTS, 3)), 0.05, 0.95)
GROUP = np.repeat([0, 1, 2], PEOPLE // 3)
DOSAGE = DRAW.binomial(2, FREQUENCY[:, GROUP]).astype(np.int8)
MATRIX = PackedMatrix.from_dosage(DOSAGE)
CHROMOSOME = np.repeat(np.arange(1, 16), VARIANTS // 15)
SITES = Sites(
    CHROMOSOME.astype(str).astype(object),
    np.arange(1, VARIANTS + 1, dtype=np.int64),
    np.array(["A"] * VARIANTS, object),
    np.array(["G"] * VARIANTS, object),
)


@pytest.mark.parametrize("person", [0, 25, 59])
def test_a_person_of_the_reference_lies_nearest_to_themselves_somewhat_farther_out(person: int) -> None:
    found = place_on_components(DOSAGE[:, person], MATRIX, CHROMOSOME)

    farther = found.person / found.people[person]
    assert (farther > 1).all()
    assert (farther[:2] < 1.2).all()
    assert found.nearest[0] == person
    assert (GROUP[found.nearest[:10]] == GROUP[person]).all()


def test_strangers_lie_as_far_out_as_their_group() -> None:
    drawn = DRAW.binomial(2, FREQUENCY[:, GROUP[::4]]).astype(np.int8)
    places = [place_on_components(stranger, MATRIX, CHROMOSOME) for stranger in drawn.T]
    people = np.array([[place.people[group == GROUP, :2].mean(axis=0) for group in (0, 1, 2)] for place in places])
    strangers = np.array([place.person[:2] for place in places])

    theirs = people[np.arange(len(places)), GROUP[::4]]
    assert 0.9 < (strangers * theirs).sum() / np.square(theirs).sum() < 1.1


def test_a_person_with_a_third_of_the_calls_lies_among_their_group() -> None:
    missing = DRAW.random(VARIANTS) > 0.4
    for group in (0, 1, 2):
        stranger = DRAW.binomial(2, FREQUENCY[:, group]).astype(np.int8)
        stranger[missing] = -1
        found = place_on_components(stranger, MATRIX, CHROMOSOME)
        assert found.variants <= (~missing).sum()
        assert (GROUP[found.nearest] == group).mean() > 0.8


def test_too_few_variants_place_nobody() -> None:
    few = DOSAGE[:, 0].copy()
    few[400:] = -1
    with pytest.raises(RejectedInputError, match="too few") as caught:
        place_on_components(few, MATRIX, CHROMOSOME)
    assert caught.value.code == "analysis.few-variants"


def test_scores_are_sums_over_what_the_person_has_for_everybody_alike() -> None:
    weights = DRAW.normal(size=30)
    rows = np.arange(0, 300, 10)
    score = [
        ScoreVariant(str(CHROMOSOME[row]), int(row) + 1, *(("G", "A") if turned else ("A", "G")), (0.0, w, 2 * w))
        for row, w, turned in zip(rows.tolist(), weights.tolist(), DRAW.random(30) < 0.5, strict=True)
    ]
    person = DOSAGE[:, 3].copy()
    person[rows[:12]] = -1

    found = stand_on_score(person, MATRIX, SITES, [*score, ScoreVariant("22", 1, "A", "G", (0.0, 1.0, 2.0))])

    copies = np.array(
        [DOSAGE[row] if one.effect == "G" else 2 - DOSAGE[row] for row, one in zip(rows, score, strict=True)]
    )
    expected = weights[12:] @ copies[12:]
    assert (found.variants, found.asked) == (18, 31)
    assert np.allclose(found.people, expected, atol=1e-5)
    assert found.person == pytest.approx(expected[3], abs=1e-5)


def test_variants_whose_strand_cannot_be_told_are_counted() -> None:
    alternate = SITES.alternate.copy()
    reference = SITES.reference.copy()
    reference[:2], alternate[:2] = ["A", "C"], ["T", "G"]
    sites = replace(SITES, reference=reference, alternate=alternate)
    places = [(str(CHROMOSOME[row]), row + 1, alternate[row], reference[row]) for row in range(3)]
    score = [ScoreVariant(*place, (0.0, 1.0, 2.0)) for place in places]

    found = stand_on_score(DOSAGE[:, 3], MATRIX, sites, score)

    assert (found.variants, found.asked, found.ambiguous) == (1, 3, 2)


def test_equal_scores_count_half() -> None:
    standing = ScoreStanding(1.0, np.array([0.0, 1.0, 1.0, 2.0]), 1, 1)
    assert standing.share_below() == 0.5
    assert standing.share_below(np.array([True, False, False, True])) == 0.5
