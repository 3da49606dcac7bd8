import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.genome.calls import Calls
from nebula.genome.matrix import PackedMatrix
from nebula.genome.texts import Texts

KEY = st.integers(0, 1 << 8).map(lambda number: number << 55)


def calls_of(keys: list[int]) -> Calls:
    """Calls of which only the keys are of interest."""
    rows = len(keys)
    nothing, codes = np.zeros(0, np.int32), PackedMatrix(np.zeros((rows, 1), np.uint8), 1)
    return Calls(
        samples=("A",),
        contigs=["1"],
        filters=["."],
        contig=np.zeros(rows, np.uint16),
        pos=np.ones(rows, np.int32),
        key=np.array(keys, np.uint64),
        reference=Texts.of(["A"] * rows),
        alternate=Texts.of(["C"] * rows),
        filter=np.zeros(rows, np.uint16),
        codes=codes,
        forms=codes,
        depth=nothing,
        quality=nothing,
        blocks=np.zeros((0, 5), np.int64),
    )


@given(st.lists(KEY), st.booleans(), KEY.filter(bool), KEY, st.data())
def test_rows_are_found_by_key_and_site_in_any_order(
    keys: list[int], ascend: bool, lowest: int, highest: int, data: st.DataObject
) -> None:
    if ascend:
        keys = [*sorted(filter(None, keys)), *(key for key in keys if not key)]
    calls = calls_of(keys)
    assert (calls.ascending is not None) >= (ascend and bool(keys[:1]) and keys[0] > 0)
    between = [row for row, key in enumerate(keys) if lowest <= key <= highest]
    assert sorted(calls.rows_between(lowest, highest).tolist()) == between
    sites = data.draw(st.lists(st.integers(-1, 1), min_size=len(keys), max_size=len(keys)))
    off = [row for row, site in enumerate(sites) if site < 0 and keys[row]]
    assert calls.off_panel(np.array(sites, np.int32)).tolist() == off
