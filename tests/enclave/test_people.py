"""Whom a filter fits: each person by their own record."""

import msgspec

from nebula.clinical.phenotypes import Phenotype, PhenotypeTable
from nebula.enclave.columns import PhenotypeColumns
from nebula.enclave.people import who_fits
from nebula.protocol.beacon import Filter
from simulators.discoveries import where
from simulators.records import make_table


def fits(table: PhenotypeTable | None, condition: Filter) -> bool:
    """Whether the middle one of three people fits: the others have the column in another unit, or not at all."""
    phenotypes = PhenotypeColumns()
    other = Phenotype(name=condition.id, kind="number", number=175.0, unit="in")
    for person in (PhenotypeTable(phenotypes=(other,)), table, None):
        phenotypes.add(person)
    fitting = who_fits(phenotypes.column(condition.id), condition)
    assert fitting.shape == (3,)
    assert not fitting[[0, 2]].any()
    return bool(fitting[1])


def test_whether_a_person_fits_hangs_on_nobody_else() -> None:
    """A number without the filter's unit fits nothing, whatever unit most people have."""
    table = make_table({"height": 180.0, "sex": "female"})
    with_unit = msgspec.structs.replace(
        table, phenotypes=tuple(msgspec.structs.replace(row, unit="cm") for row in table.phenotypes if row.number)
    )
    assert fits(table, where("height", ">=", 170.0))
    assert not fits(table, where("height", ">=", 170.0, "cm"))
    assert not fits(with_unit, where("height", ">=", 170.0))
    assert fits(with_unit, where("height", "=", 180.0, "cm"))
    assert not fits(with_unit, where("height", "<=", 179.0, "cm"))
    assert not fits(table, where("height", "=", "180.0"))
    assert not fits(table, where("sex", "=", 1.0))
    assert not fits(None, where("sex", "=", "female"))
