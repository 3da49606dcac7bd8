import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.inputs import Sites
from nebula.analysis.score_match import Match, match_score
from nebula.analysis.scoring_file import ScoreVariant

SITES = Sites(
    np.array(["chr1", "chr1", "chr1", "chr1", "chr2", "chrX"], dtype=object),
    np.array([100, 200, 300, 300, 100, 50]),
    np.array(["A", "A", "C", "C", "AT", "G"], dtype=object),
    np.array(["G", "T", "T", "G", "A", "T"], dtype=object),
)


def match(chromosome: str, position: int, effect: str, other: str | None, **changes: bool) -> tuple:
    found = match_score([ScoreVariant(chromosome, position, effect, other, (0.0, 1.0, 2.0))], SITES, **changes)
    return found.outcome[0], found.rows.tolist(), found.effect_is_reference.tolist()


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (("1", 100, "G", "A"), (Match.MATCHED, [0], [False])),
        (("1", 100, "A", "G"), (Match.MATCHED, [0], [True])),
        (("1", 100, "C", "T"), (Match.FLIPPED, [0], [False])),
        (("1", 100, "T", "C"), (Match.FLIPPED, [0], [True])),
        (("1", 100, "G", "T"), (Match.MISSING, [], [])),
        (("1", 101, "G", "A"), (Match.MISSING, [], [])),
        (("3", 100, "G", "A"), (Match.MISSING, [], [])),
        (("1", 200, "T", "A"), (Match.AMBIGUOUS, [], [])),
        (("1", 300, "T", "C"), (Match.MATCHED, [2], [False])),
        (("1", 300, "C", "G"), (Match.AMBIGUOUS, [], [])),
        (("1", 300, "C", None), (Match.AMBIGUOUS, [], [])),
        (("1", 300, "T", None), (Match.MATCHED, [2], [False])),
        (("1", 100, "G", None), (Match.MATCHED, [0], [False])),
        (("1", 100, "C", None), (Match.FLIPPED, [0], [False])),
        (("1", 200, "T", None), (Match.AMBIGUOUS, [], [])),
        (("2", 100, "AT", "A"), (Match.MATCHED, [4], [True])),
        (("X", 50, "T", "G"), (Match.MATCHED, [5], [False])),
    ],
)
def test_a_row_matches_by_place_and_alleles(variant: tuple, expected: tuple) -> None:
    assert match(*variant) == expected


def test_a_score_known_to_be_on_the_forward_strand_keeps_its_ambiguous_rows() -> None:
    assert match("1", 200, "T", "A", keep_ambiguous=True) == (Match.MATCHED, [1], [False])
    assert match("1", 200, "A", "T", keep_ambiguous=True) == (Match.MATCHED, [1], [True])


def test_the_first_row_of_a_site_counts() -> None:
    rows = [("G", "A", 1.0), ("A", "G", 5.0), ("C", "T", 7.0)]
    found = match_score([ScoreVariant("1", 100, e, o, (0.0, w, 2 * w)) for e, o, w in rows], SITES)
    assert found.outcome == (Match.MATCHED, Match.DUPLICATE, Match.DUPLICATE)
    assert found.weights.tolist() == [[0.0, 1.0, 2.0]]
    assert found.report() == {"matched": 1, "flipped": 0, "ambiguous": 0, "duplicate": 2, "missing": 0}
    assert found.share == pytest.approx(1 / 3)


def turned(allele: str) -> str:
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A"}[base] for base in reversed(allele))


def slowly(variant: ScoreVariant, sites: Sites, *, keep_ambiguous: bool) -> tuple[Match, int | None]:
    """What becomes of one variant, were there no others: site by site, and strand by strand."""
    for kind, turn in ((Match.MATCHED, str), (Match.FLIPPED, turned)):
        named = [turn(allele) for allele in (variant.effect, variant.other) if allele is not None]
        fitting = []
        for row in range(len(sites)):
            alleles = [sites.reference[row], sites.alternate[row]]
            there = (sites.chromosome[row], sites.position[row]) == (variant.chromosome, variant.position)
            if there and (named in (alleles, alleles[::-1]) or (len(named) == 1 and named[0] in alleles)):
                fitting.append(row)
        if len(fitting) == 1 and (keep_ambiguous or turned(sites.reference[fitting[0]]) != sites.alternate[fitting[0]]):
            return kind, fitting[0]
        if fitting:
            return Match.AMBIGUOUS, None
    return Match.MISSING, None


ALLELES = st.sampled_from(["A", "C", "G", "T", "AT", "TA", "CG"])
PLACES = st.tuples(st.sampled_from(["1", "X"]), st.integers(1, 3))
PANELS = st.lists(
    st.tuples(PLACES, ALLELES, ALLELES).filter(lambda site: site[1] != site[2]), min_size=1, max_size=12, unique=True
)
SCORES = st.lists(st.tuples(PLACES, ALLELES, st.none() | ALLELES).filter(lambda row: row[1] != row[2]), max_size=20)


@given(panel=PANELS, score=SCORES, keep_ambiguous=st.booleans())
def test_all_rows_at_once_match_as_one_by_one(panel: list, score: list, *, keep_ambiguous: bool) -> None:
    columns = zip(*((*place, reference, alternate) for place, reference, alternate in panel), strict=True)
    chromosomes, positions, *alleles = (np.array(column, dtype=object) for column in columns)
    sites = Sites(chromosomes, positions.astype(np.int64), *alleles)
    variants = [
        ScoreVariant(chromosome, position, effect, other, (0.0, number, 2.0 * number))
        for number, ((chromosome, position), effect, other) in enumerate(score, start=1)
    ]

    found = match_score(variants, sites, keep_ambiguous=keep_ambiguous)

    first: dict[int, int] = {}
    for number, variant in enumerate(variants):
        kind, row = slowly(variant, sites, keep_ambiguous=keep_ambiguous)
        if row is not None and first.setdefault(row, number) != number:
            kind = Match.DUPLICATE
        assert found.outcome[number] is kind
    assert found.rows.tolist() == sorted(first)
    assert found.places.tolist() == [first[row] for row in sorted(first)]
    assert found.weights[:, 1].tolist() == [first[row] + 1 for row in sorted(first)]
    for place, row, is_reference in zip(found.places, found.rows, found.effect_is_reference, strict=True):
        effect = variants[place].effect
        spelt = effect if found.outcome[place] is Match.MATCHED else turned(effect)
        assert is_reference == (sites.reference[row] == spelt)
