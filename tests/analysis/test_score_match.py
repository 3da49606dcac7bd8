import numpy as np
import pytest

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
