"""A column is everybody's, whoever has it."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.clinical.phenotypes import Phenotype, PhenotypeTable
from nebula.enclave.columns import PhenotypeColumns
from simulators.records import make_table

values = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from(["f", "m"]))


@given(st.lists(st.none() | st.dictionaries(st.sampled_from("abc"), values), max_size=20))
def test_a_column_says_of_each_person_what_their_table_says(
    people: list[dict[str, float | str | None] | None],
) -> None:
    tables = [None if person is None else make_table(person) for person in people]
    everything, some = PhenotypeColumns(), PhenotypeColumns(["b"])
    for table in tables:
        everything.add(table)
        some.add(table)
    for name in "abc":
        column = everything.column(name)
        numbers = [None if table is None else table.number(name) for table in tables]
        categories = [None if table is None else table.category(name) for table in tables]
        assert [None if np.isnan(number) else number for number in column.number] == numbers
        assert column.category.tolist() == categories
        assert column.there.tolist() == [pair != (None, None) for pair in zip(numbers, categories, strict=True)]
    np.testing.assert_array_equal(some.column("b").number, everything.column("b").number)
    assert not some.column("a").there.any()


def test_a_number_keeps_its_unit() -> None:
    columns = PhenotypeColumns()
    for unit in ("cm", None, "cm", "in"):
        columns.add(PhenotypeTable(phenotypes=(Phenotype(name="height", kind="number", number=1.0, unit=unit),)))
    assert columns.column("height").unit.tolist() == ["cm", "", "cm", "in"]


def test_columns_that_one_person_has_take_no_room_for_everybody() -> None:
    columns = PhenotypeColumns()
    tracemalloc.start()
    try:
        for person in range(10_000):
            columns.add(make_table({f"{person}-{index}": 1.0 for index in range(500)} if person < 2 else {}))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2_000_000
