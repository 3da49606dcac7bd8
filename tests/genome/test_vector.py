import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused
from nebula.genome import assembly
from nebula.genome.assembly import assemble
from nebula.genome.keys import variant_key
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel
from nebula.genome.record import AnalysisVector, parse_vector
from nebula.protocol.errors import RejectedInputError

PANEL = Panel("p", "1", "GRCh38", np.array([variant_key("1", pos, "A", "C") for pos in range(10, 17)], np.uint64))
PRIVATE = np.array([variant_key("2", pos, "G", "T") for pos in (5, 9)], np.uint64)


def packed(*codes: int) -> bytes:
    return PackedMatrix.from_dosage(np.array([[code if code < 3 else -1 for code in codes]], np.int8)).packed.tobytes()


def vector(codes: bytes, keys: np.ndarray = PRIVATE, private: bytes = packed(1, 2)) -> AnalysisVector:
    return AnalysisVector(PANEL.panel_id, PANEL.sites, codes, keys, private)


GOOD = vector(packed(0, 1, 2, 3, 0, 1, 2))


def test_a_vector_survives_its_serialisation() -> None:
    again = parse_vector(GOOD.to_bytes(), PANEL)
    assert again.to_bytes() == GOOD.to_bytes()
    assert again.counts() == (2, 2, 2, 1)


def test_a_vector_of_another_panel_is_refused() -> None:
    other = Panel("other", "1", "GRCh38", PANEL.keys)
    error = refused(lambda: parse_vector(GOOD.to_bytes(), other))
    assert error is not None
    assert error.code == "record.other-panel"


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.to_bytes() + b"\x00",
        GOOD.to_bytes()[:-1],
        b"",
        vector(packed(0, 1, 2, 3, 0, 1, 2, 1)).to_bytes(),
        vector(packed(0) * 2, PRIVATE[::-1]).to_bytes(),
        vector(packed(0) * 2, PRIVATE, packed(0, 1)).to_bytes(),
        vector(packed(0) * 2, PRIVATE, packed(3, 1)).to_bytes(),
        vector(packed(0) * 2, PANEL.keys[:1], packed(1)).to_bytes(),
        vector(packed(0) * 2, np.array([0], np.uint64), packed(1)).to_bytes(),
    ],
)
def test_a_malformed_vector_is_refused(bad: bytes) -> None:
    error = refused(lambda: parse_vector(bad, PANEL))
    assert error is not None
    assert error.code == "record.malformed"


@given(st.binary(max_size=120))
def test_any_bytes_are_a_vector_or_refused(raw: bytes) -> None:
    head = GOOD.to_bytes()[:42]
    refused(lambda: parse_vector(raw, PANEL))
    refused(lambda: parse_vector(head + raw, PANEL))


@given(st.lists(st.lists(st.integers(0, 3), min_size=7, max_size=7), max_size=40))
def test_assembling_puts_each_persons_codes_into_a_column(people: list[list[int]]) -> None:
    matrix = assemble(PANEL, [packed(*codes) for codes in people])
    assert (matrix.variants, matrix.samples) == (7, len(people))
    expected = [[code if code < 3 else -1 for code in codes] for codes in people]
    assert matrix.dosage().T.tolist() == expected


@pytest.mark.parametrize(
    ("people", "room"), [(0, 3), (5, 5), (5, 30), (assembly.BATCH * 2 + 3, assembly.BATCH * 2 + 90)]
)
def test_people_who_come_one_by_one_lie_where_all_at_once_would(people: int, room: int) -> None:
    rng = np.random.default_rng(people)
    vectors = [packed(*codes) for codes in rng.integers(0, 4, (people, 7)).tolist()]
    whole = assemble(PANEL, vectors)
    assert (assemble(PANEL, iter(vectors), people=room).packed == whole.packed).all()
    chosen = np.flatnonzero(rng.random(people) < 0.7)
    under_way = assembly.Assembly(PANEL, room)
    for one in vectors:
        under_way.add(one)
    kept = under_way.finish(chosen)
    assert kept.samples == len(chosen)
    assert (kept.dosage() == whole.dosage()[:, chosen]).all()


def test_no_more_people_than_there_is_room_for_are_added() -> None:
    with pytest.raises(ValueError, match="for 1 people"):
        assemble(PANEL, iter([GOOD.codes, GOOD.codes]), people=1)


@pytest.mark.parametrize("bad", [b"", b"\x00", b"\x00" * 3, b"\x00\xff"])
def test_a_vector_that_does_not_fit_the_panel_is_not_assembled(bad: bytes) -> None:
    with pytest.raises(RejectedInputError, match="vector 1"):
        assemble(PANEL, [GOOD.codes, bad])
