from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.genome.texts import Texts

ALLELES = st.lists(st.one_of(st.sampled_from("ACGT"), st.text("ACGT", min_size=1, max_size=3)))


def agree(texts: Texts, strings: Sequence[str]) -> None:
    """Rows are these strings, and the different ones are kept once each, as long as a row has them."""
    assert [texts[row] for row in range(len(texts))] == list(strings)
    assert len(texts) == len(strings)
    assert texts.lengths().tolist() == [len(string) for string in strings]
    assert texts.first_bytes().tobytes().decode() == "".join(string[0] for string in strings)
    different = Texts(np.arange(len(texts.offsets) - 1, dtype=np.int32), texts.content, texts.offsets)
    kept = [different[number] for number in range(len(different))]
    assert sorted(kept) == sorted(set(strings))


@given(ALLELES, st.data())
def test_what_is_taken_and_put_is_as_in_a_list(strings: list[str], data: st.DataObject) -> None:
    texts = Texts.of(strings)
    agree(texts, strings)
    rows = data.draw(st.lists(st.integers(0, len(strings) - 1)) if strings else st.just([]))
    agree(texts.take(np.array(rows, np.int64)), [strings[row] for row in rows])
    places = sorted(set(rows))
    others = data.draw(st.lists(st.text("ACGTN", min_size=1), min_size=len(places), max_size=len(places)))
    changed = list(strings)
    for place, other in zip(places, others, strict=True):
        changed[place] = other
    agree(texts.put(np.array(places, np.int64), Texts.of(others)), changed)


@given(st.text("ACGTN"))
def test_letters_are_strings_of_one(letters: str) -> None:
    agree(Texts.of_letters(np.frombuffer(letters.encode(), np.uint8)), letters)
