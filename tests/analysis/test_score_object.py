"""A long score is the object that its study names, or nobody reads it."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.test_scoring_file import variants
from nebula.analysis.parameters import parse_parameters
from nebula.analysis.score_object import ScoreObject, parse_score, score_digest, write_score
from nebula.analysis.scoring_file import ScoreVariant
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.wire import to_canonical

ONE = ScoreVariant("1", 100, "A", "C", (0.0, 0.5, 1.0))
TERMS = {"score": "PGS1", "build": "GRCh38"}
ROW = "1:100:A:C:0.5"


def named(raw: bytes, rows: int) -> ScoreObject:
    return ScoreObject(location="file:///public#score", digest=score_digest(raw), rows=rows)


@given(st.lists(variants, min_size=1, max_size=20))
def test_a_score_comes_back_from_its_object(wanted: list[ScoreVariant]) -> None:
    raw = write_score(wanted, "GRCh38")
    assert list(parse_score(raw, named(raw, len(wanted)), "GRCh38")) == wanted


def test_another_object_than_the_named_one_is_refused() -> None:
    raw = write_score([ONE], "GRCh38")
    for other in (b"", raw[:-1], write_score([ONE, ONE], "GRCh38"), raw.replace(b"0.5", b"0.6")):
        with pytest.raises(IntegrityError):
            parse_score(other, named(raw, 1), "GRCh38")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NEBULASCORE 1 GRCh38 1\n",
        f"NEBULASCORE 2 GRCh38 1\n{ROW}\n",
        f"NEBULASCORE 1 GRCh37 1\n{ROW}\n",
        f"NEBULASCORE 1 GRCh38 2\n{ROW}\n",
        f"NEBULASCORE 1 GRCh38 1\n{ROW}",
        f"NEBULASCORE 1 GRCh38 1\n{ROW}\n\n",
        f"NEBULASCORE 1 GRCh38 1\n{ROW} \n",
        f"NEBULASCORE 1 GRCh38 1\r\n{ROW}\r\n",
        "NEBULASCORE 1 GRCh38 1\n1:100:A:C:nan\n",
        f"NEBULASCORE 1 GRCh38 1\n1:100:{'A' * 400}:C:1\n",
        "NEBULASCORE 1 GRCh38 1\n1:100:A:C:\u0661\n",
    ],
)
def test_an_object_that_is_no_score_is_refused_whoever_named_it(text: str) -> None:
    raw = text.encode()
    with pytest.raises(RejectedInputError) as caught:
        parse_score(raw, named(raw, 1), "GRCh38")
    assert caught.value.code == "score.object"


def test_an_object_of_other_than_the_named_rows_is_refused_before_its_lines_are_set_aside() -> None:
    raw = b"\n" * 4_000_000
    tracemalloc.start()
    try:
        with pytest.raises(RejectedInputError) as caught:
            parse_score(raw, named(raw, 1), "GRCh38")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.code == "score.object"
    assert most < 1_000_000


def test_a_row_that_nobody_would_read_is_not_written() -> None:
    long = ScoreVariant("1", 100, "A" * 500, "C", (0.0, 0.5, 1.0))
    with pytest.raises(RejectedInputError) as caught:
        write_score([ONE, long], "GRCh38")
    assert caught.value.code == "score.row"


def test_terms_with_rows_of_their_own_are_written_as_before_there_were_objects() -> None:
    parameters = parse_parameters("polygenic-score@1", TERMS | {"rows": [ROW]})
    assert b"object" not in to_canonical(parameters)


def test_rows_stand_in_the_terms_or_in_an_object() -> None:
    elsewhere = {"object_location": "file:///public#" + "ab" * 32, "object_digest": "0x" + "ab" * 32, "object_rows": 9}
    assert parse_parameters("polygenic-score@1", TERMS | elsewhere)
    without = [{name: value for name, value in elsewhere.items() if name != left_out} for left_out in elsewhere]
    other_name = {"object_location": "file:///public#" + "cd" * 32}
    too_many = {"object_rows": 2_000_001}
    for bad in ({}, {"rows": [ROW]} | elsewhere, elsewhere | too_many, elsewhere | other_name, *without):
        with pytest.raises(RejectedInputError):
            parse_parameters("polygenic-score@1", TERMS | bad)
