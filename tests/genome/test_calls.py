import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.made_calls import calls_of
from nebula import _native
from nebula.genome.imported import ImportedCohort
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel

KEY = st.integers(0, 1 << 8).map(lambda number: number << 55)
PRIVATE = st.tuples(st.integers(1, 9), st.integers(0, 3))


@given(st.lists(KEY), st.booleans(), KEY.filter(bool), KEY, st.data())
def test_rows_are_found_by_key_and_site_in_any_order(
    keys: list[int], ascend: bool, lowest: int, highest: int, data: st.DataObject
) -> None:
    if ascend:
        keys = [*sorted(filter(None, keys)), *(key for key in keys if not key)]
    calls = calls_of(keys)
    if ascend and any(keys[:1]):
        assert calls.ascending is not None
    between = [row for row, key in enumerate(keys) if lowest <= key <= highest]
    assert sorted(calls.rows_between(lowest, highest).tolist()) == between
    sites = data.draw(st.lists(st.integers(-1, 1), min_size=len(keys), max_size=len(keys)))
    off = [row for row, site in enumerate(sites) if site < 0 and keys[row]]
    assert calls.off_panel(np.array(sites, np.int32)).tolist() == off


@given(st.lists(PRIVATE), st.booleans())
def test_a_vector_has_each_private_variant_once_ascending(rows: list[tuple[int, int]], ascend: bool) -> None:
    rows = sorted(rows) if ascend else rows
    keys = [variant_key("1", pos, "A", "C") for pos, _ in rows]
    panel = Panel("test", "1", "GRCh38", np.array([variant_key("2", 5, "A", "C")], np.uint64))
    codes = [code for _, code in rows]
    cohort = ImportedCohort(calls_of(keys, codes), panel, format_name="", assembly_by="", notes=())
    vector = cohort.vector(0)
    carried: dict[int, int] = {}
    for key, code in zip(keys, codes, strict=True):
        # A missing call is none that is carried.
        if code in (1, 2):
            carried.setdefault(key, code)
    found = _native.unpack(np.frombuffer(vector.private_codes, np.uint8).reshape(1, -1), len(carried))[0]
    assert list(zip(vector.private_keys.tolist(), found.tolist(), strict=True)) == sorted(carried.items())


def test_rows_are_put_at_sites_that_are_there_alone() -> None:
    matrix, rows = np.zeros((3, 2), np.uint8), np.ones((2, 2), np.uint8)
    for sites, packed, said in (([0, 3], rows, "a row of the matrix"), ([0], rows, "each row has a site")):
        with pytest.raises(ValueError, match=said):
            _native.put_at_sites(matrix, np.array(sites, np.int32), packed)
    with pytest.raises(ValueError, match="as wide"):
        _native.put_at_sites(matrix, np.array([0, 1], np.int32), rows[:, :1].copy())
