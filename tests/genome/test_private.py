import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula import _native
from nebula.genome.private import PrivateVariants, assemble_private, only_private
from nebula.genome.record.vector import AnalysisVector

PEOPLE = st.lists(st.dictionaries(st.integers(0, 40) | st.integers(0, 2**64 - 1), st.integers(1, 2), max_size=30))


def vector(carried: dict[int, int]) -> AnalysisVector:
    keys = sorted(carried)
    packed = bytearray(-(-len(keys) // 4))
    for index, key in enumerate(keys):
        packed[index // 4] |= carried[key] << 2 * (index % 4)
    return AnalysisVector("0x" + "00" * 32, 0, b"", np.array(keys, np.uint64), bytes(packed))


def slow_merge(people: list[dict[int, int]]) -> dict[int, list[tuple[int, int]]]:
    sites: dict[int, list[tuple[int, int]]] = {}
    for number, carried in enumerate(people):
        for key, code in carried.items():
            sites.setdefault(key, []).append((number, code))
    return dict(sorted(sites.items()))


def as_sites(found: PrivateVariants) -> dict[int, list[tuple[int, int]]]:
    sites = {}
    for index, key in enumerate(found.keys.tolist()):
        people, codes = found.site(index)
        sites[key] = list(zip(people.tolist(), codes.tolist(), strict=True))
    return sites


@given(PEOPLE)
def test_every_site_has_exactly_its_carriers(people: list[dict[int, int]]) -> None:
    found = assemble_private(map(vector, people))
    assert list(as_sites(found).items()) == list(slow_merge(people).items())
    assert found.samples == len(people)


def test_a_merge_of_many_ranges_is_that_of_one() -> None:
    rng = np.random.default_rng(0)
    drawn = [np.unique(rng.integers(0, 60_000, 3000)) for _ in range(70)]
    people = [dict.fromkeys(keys.tolist(), 1 + number % 2) for number, keys in enumerate(drawn)]
    assert as_sites(assemble_private(map(vector, people))) == slow_merge(people)


@given(PEOPLE, st.integers(0, 50), st.integers(0, 50))
def test_a_range_holds_the_sites_between_its_ends(people: list[dict[int, int]], first: int, last: int) -> None:
    found = assemble_private(map(vector, people)).between(first, last)
    assert as_sites(found) == {key: site for key, site in slow_merge(people).items() if first <= key <= last}


@given(PEOPLE, st.data())
def test_people_who_leave_take_their_entries_along(people: list[dict[int, int]], data: st.DataObject) -> None:
    kept = np.array([data.draw(st.booleans()) for _ in people], dtype=bool)
    found = assemble_private(map(vector, people)).select_samples(kept)
    remaining = slow_merge([carried for carried, stays in zip(people, kept, strict=True) if stays])
    assert {key: site for key, site in as_sites(found).items() if site} == remaining
    assert found.samples == kept.sum()
    with pytest.raises(ValueError, match="ascending"):
        found.select_samples(np.array([1, 0]))


@given(PEOPLE, st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=3))
def test_a_person_is_cut_down_to_some_spans(people: list[dict[int, int]], spans: list[tuple[int, int]]) -> None:
    for carried in people:
        cut = only_private(vector(carried), spans)
        expected = {key: code for key, code in carried.items() if any(a <= key <= b for a, b in spans)}
        assert as_sites(assemble_private([cut])) == slow_merge([expected])


@pytest.mark.parametrize(
    ("keys", "codes", "sentence"),
    [
        ([[1, 1]], [[5]], "person 0 do not ascend"),
        ([[1], [1, 2]], [[1], []], "person 1 has not"),
        ([[1]], [], "codes of 0"),
    ],
)
def test_what_no_parser_makes_is_refused(keys: list[list[int]], codes: list[list[int]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _native.assemble_private([np.array(k, np.uint64) for k in keys], [np.array(c, np.uint8) for c in codes])
