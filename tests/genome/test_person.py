"""A person's calls, asked one variant at a time, say what their analysis vector says, and nothing that is not known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.test_reading import NEW
from genome.vcf_text import source, vcf
from nebula.genome.importing import import_genomes
from nebula.genome.keys import variant_key
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel, Site
from nebula.genome.record.person import Copies, PersonalCalls

ON_X = 3_000_000  # outside the pseudo-autosomal regions
#: Enough calls of one copy on X to be a man's.
OF_A_MAN = [f"X {ON_X + 10 * row} . A C . . . GT {row % 2}" for row in range(60)]


def imported(panel: Panel, *records: str) -> tuple[PersonalCalls, np.ndarray]:
    """Their calls, and the dosage of their vector."""
    meta = ["##reference=GRCh38", '##FILTER=<ID=q10,Description="q">']
    cohort = import_genomes(source(vcf(*records, meta=meta), "genome"), panel)
    vector = np.frombuffer(cohort.vector(0).codes, np.uint8).reshape(1, -1).copy()
    return PersonalCalls.of(cohort.genome(0).parquet, panel.assembly), PackedMatrix(vector, panel.sites).dosage()[0]


def person(*records: str) -> PersonalCalls:
    return imported(Panel("p", "1", "GRCh38", np.array([variant_key("1", 10, "A", "G")], np.uint64)), *records)[0]


SITES = ("1 {} . A C", "1 {} . A G", "1 {} . AT A", "1 {} . A ACGTACGTACGTACGT")


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(SITES),
            st.sampled_from((7, 10, 15, 40)),
            st.sampled_from(("0/0", "0/1", "1|1", "./.", "1")),
            st.sampled_from(("PASS", "q10")),
        ),
        max_size=8,
        unique_by=lambda row: row[:2],
    ),
    blocks=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 20)), max_size=3),
    man=st.booleans(),
    there=st.sampled_from(("1/1", "0/1", "1", "0/0")),
)
def test_calls_are_those_of_the_vector(
    rows: list[tuple[str, int, str, str]], blocks: list[tuple[int, int]], man: bool, there: str
) -> None:
    lines = [(pos, f"{site.format(pos)} . {passed} . GT {call}") for site, pos, call, passed in rows]
    lines += [(pos, f"1 {pos} . A <NON_REF> . . END={pos + more} GT:GQ 0/0:50") for pos, more in blocks]
    on_x = [f"X {ON_X} . A C . . . GT {there}", *OF_A_MAN[1:]] if man else [f"X {ON_X} . A C . . . GT {there}"]

    calls, vector = imported(NEW, *(line for _, line in sorted(lines)), *on_x)

    assert calls.sex == ("male" if man else "unclear")
    assert calls.dosage(NEW).tolist() == vector.tolist()
    found = [calls.at(NEW.site(row)) for row in range(NEW.sites)]
    assert [-1 if one is None else one.copies for one in found] == vector.tolist()


@pytest.mark.parametrize(
    ("record", "copies"),
    [
        ("X 2999990 . A C . . . GT 1/1", Copies(1, 1)),
        ("X 2999990 . A C . . . GT 0/1", None),
        ("X 2999990 . A C . . . GT 0/0", Copies(0, 1)),
        ("X 2999990 . A C . . . GT 1", Copies(1, 1)),
        ("X 2999980 . A <NON_REF> . . END=2999995 GT 0/0", Copies(0, 1)),
    ],
)
def test_a_man_has_one_copy_of_x_however_it_is_written(record: str, copies: Copies | None) -> None:
    assert person(record, *OF_A_MAN).at(Site("X", 2_999_990, "A", "C")) == copies


def test_who_is_no_man_for_sure_has_two_copies_of_x_and_everybody_of_its_ends() -> None:
    assert person(f"X {ON_X} . A C . . . GT 1/1").at(Site("X", ON_X, "A", "C")) == Copies(2, 2)
    man = person("X 20000 . A C . . . GT 1/1", *OF_A_MAN, "Y 4000000 . A C . . . GT 1/1", "MT 9 . A C . . . GT 1/1")
    assert man.at(Site("X", 20_000, "A", "C")) == Copies(2, 2)
    assert man.at(Site("Y", 4_000_000, "A", "C")) == Copies(1, 1)
    assert man.at(Site("MT", 9, "A", "C")) == Copies(1, 1)


@pytest.mark.parametrize(
    ("records", "copies"),
    [
        (["1 10 . A G . . . GT 0/1"], 1),
        (["1 10 . A C,G . . . GT 1/2"], 0),
        (["1 10 . A C,G . . . GT 0/1"], 1),
        (["1 10 . A C,G . . . GT 0/2"], 1),
        (["1 10 . A C,G . . . GT 1/1"], 0),
        (["1 10 . A C . q10 . GT 0/1", "1 10 . A G . . . GT 0/1"], None),
        (["1 10 . A AT . . . GT 0/1", "1 10 . A G . . . GT 0/0"], None),
        (["1 10 . A AT . . . GT 0/0", "1 10 . A G . . . GT 0/0"], 2),
        (["1 8 . TCA T . . . GT 0/1", "1 10 . A G . . . GT 0/1"], None),
        (["1 7 . TCA T . . . GT 0/1", "1 10 . A G . . . GT 0/1"], 1),
        (["1 10 . A G . . . GT 0/1", "1 11 . A G . . . GT 0/1"], 1),
        (["1 10 . A C . . . GT 1/1", "1 10 . A G . . . GT 0/1"], None),
        (["1 10 . A C . . . GT 0/1"], None),
        (["1 8 . A <NON_REF> . . END=12 GT 0/0"], 2),
    ],
)
def test_ref_is_what_no_allele_has_taken_the_place_of(records: list[str], copies: int | None) -> None:
    found = person(*records).reference_at(Site("1", 10, "A", "G"))
    assert found == (None if copies is None else Copies(copies, 2))


def test_bases_inside_a_longer_ref_count_too() -> None:
    calls = person("1 10 . AT A . . . GT 0/0", "1 11 . T C . . . GT 0/1")
    assert calls.at(Site("1", 10, "AT", "A")) == Copies(0, 2)
    assert calls.reference_at(Site("1", 10, "AT", "A")) is None


def test_a_place_is_found_whatever_else_stands_there() -> None:
    calls = person("1 10 . A C . . . GT 0/1", "1 10 . A G . . . GT 1/1", "1 10 . AT A . . . GT 0/1")
    assert calls.at(Site("1", 10, "A", "G")) == Copies(2, 2)
    assert calls.at(Site("1", 10, "AT", "A")) == Copies(1, 2)
    assert calls.at(Site("X", 10, "A", "G")) is None
