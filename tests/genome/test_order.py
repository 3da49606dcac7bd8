import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genome.made_calls import calls_of
from nebula.genome.record.order import Order

KEY = st.integers(0, 20)


@given(keys=st.lists(KEY), few=st.lists(st.tuples(st.integers(0, 59), KEY), max_size=4))
def test_rows_come_by_key_and_those_without_one_last(keys: list[int], few: list[tuple[int, int]]) -> None:
    nearly = sorted([*range(1, 21), *range(1, 21), *range(1, 21)])
    for place, key in few:
        nearly[place] = key
    for found in (keys, nearly):
        calls = calls_of(found)
        ascend, order = calls.ascending, Order.of(calls)
        wanted = sorted(range(len(found)), key=lambda row: found[row] or 21)
        assert (ascend is not None) == (wanted == list(range(len(found))))
        assert ascend is None or ascend.tolist() == [key for key in found if key]
        assert order.bring(np.arange(len(found))).tolist() == wanted
        assert order.bring(np.arange(2 * len(found)).reshape(-1, 2))[:, 1].tolist() == [2 * row + 1 for row in wanted]
