from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nebula.clinical.phenotypes import Phenotype, PhenotypeTable
from nebula.enclave import cohort
from nebula.enclave.cohort import Columns
from nebula.enclave.columns import PhenotypeColumns
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import Condition
from simulators.records import make_table


def tables(*rows: dict[str, float | str | None]) -> list[PhenotypeTable | None]:
    return [make_table(row) for row in rows]


def choose_cohort(
    people: Sequence[PhenotypeTable | None], conditions: Sequence[Condition], columns: Sequence[str]
) -> tuple[NDArray[np.int64], Columns]:
    phenotypes = PhenotypeColumns({*columns, *(condition.column for condition in conditions)})
    for table in people:
        phenotypes.add(table)
    return cohort.choose_cohort(phenotypes, conditions, columns)


def test_all_conditions_must_hold_and_what_is_missing_holds_none() -> None:
    people = tables(
        {"age": 30.0, "sex": "f"}, {"age": 50.0, "sex": "f"}, {"age": 50.0, "sex": "m"}, {"age": None, "sex": "f"}, {}
    )
    conditions = [Condition(column="age", minimum=40.0), Condition(column="sex", equals="f")]

    members, _ = choose_cohort([*people, None], conditions, ())

    assert list(members) == [1]


def test_bounds_are_inside() -> None:
    people = tables({"age": 40.0}, {"age": 60.0}, {"age": 60.1})

    members, _ = choose_cohort(people, [Condition(column="age", minimum=40.0, maximum=60.0)], ())

    assert list(members) == [0, 1]


def test_a_condition_without_bounds_asks_that_the_value_is_there() -> None:
    members, _ = choose_cohort(tables({"age": 1.0}, {"age": None}, {"sex": "f"}), [Condition(column="age")], ())

    assert list(members) == [0]


def test_numbers_may_be_compared_with_text() -> None:
    members, _ = choose_cohort(tables({"stage": 2.0}, {"stage": 3.0}), [Condition(column="stage", equals="2")], ())

    assert list(members) == [0]


def test_only_complete_cases_belong() -> None:
    people = tables({"bmi": 20.0, "age": 1.0}, {"bmi": None, "age": 1.0}, {"bmi": 22.0, "age": 2.0}, {"bmi": 22.0})

    members, columns = choose_cohort(people, (), ("bmi", "age"))

    assert list(members) == [0, 2]
    assert list(columns["bmi"]) == [20.0, 22.0]


def test_two_categories_become_zero_and_one_by_name() -> None:
    _, columns = choose_cohort(tables({"sex": "m"}, {"sex": "f"}) * 10, (), ("sex",))

    assert list(columns["sex"]) == [1.0, 0.0] * 10


def test_categories_outside_the_cohort_do_not_count() -> None:
    people = tables({"sex": "m", "age": 50.0}, {"sex": "f", "age": 50.0}, {"sex": "x", "age": 3.0}) * 10

    members, columns = choose_cohort(people, [Condition(column="age", minimum=18.0)], ("sex",))

    assert list(members) == [n for n in range(30) if n % 3 < 2]
    assert list(columns["sex"]) == [1.0, 0.0] * 10


def test_three_categories_are_no_column_of_numbers() -> None:
    with pytest.raises(RejectedInputError) as refusal:
        choose_cohort(tables({"c": "x"}, {"c": "y"}, {"c": "z"}) * 10, (), ("c",))
    assert refusal.value.code == "cohort.categories"


@pytest.mark.parametrize("odd", [{"c": "z"}, {"c": 7.0}])
def test_a_value_that_few_people_have_is_missing_and_no_error(odd: dict[str, float | str | None]) -> None:
    """An error would answer whether that one person has it."""
    people = tables({"c": "x"}, {"c": "y"}) * 10
    for few in (0, 1, 9):
        members, columns = choose_cohort(people + tables(odd) * few, (), ("c",))
        assert list(members) == list(range(20))
        assert list(columns["c"]) == [0.0, 1.0] * 10


def test_a_number_in_another_unit_than_most_is_missing() -> None:
    def weight(number: float, unit: str) -> PhenotypeTable:
        return PhenotypeTable(phenotypes=(Phenotype(name="weight", kind="number", number=number, unit=unit),))

    members, columns = choose_cohort([weight(70, "kg"), weight(154, "lb"), weight(80, "kg")], (), ("weight",))

    assert list(members) == [0, 2]
    assert list(columns["weight"]) == [70.0, 80.0]


cells = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(st.lists(st.tuples(cells, cells), max_size=30), st.floats(-1e6, 1e6))
def test_a_further_condition_never_lets_anybody_in(rows: list[tuple[float | None, float | None]], bound: float) -> None:
    people = tables(*({"a": a, "b": b} for a, b in rows))
    one = Condition(column="a", maximum=bound)

    all_of_them, columns = choose_cohort(people, [one], ("b",))
    fewer, _ = choose_cohort(people, [one, Condition(column="b", minimum=bound)], ("b",))

    assert set(fewer) <= set(all_of_them)
    assert all(rows[i][0] is not None and rows[i][0] <= bound for i in all_of_them)  # type: ignore[operator]
    assert not np.isnan(columns["b"]).any()


def numbers(*columns: np.ndarray) -> list[PhenotypeTable | None]:
    return tables(*({f"c{at}": float(value) for at, value in enumerate(row)} for row in np.column_stack(columns)))


@pytest.mark.parametrize("hostile", [1e30, -1e30, 1e6])
@pytest.mark.parametrize("few", [1, 9])
def test_numbers_of_a_few_far_beyond_all_others_are_missing(hostile: float, few: int) -> None:
    trait = np.random.default_rng(3).standard_normal(400)
    trait[:few] = hostile * np.arange(1, few + 1) / few

    members, columns = choose_cohort(numbers(trait), (), ("c0",))

    assert members.tolist() == list(range(few, 400))
    assert columns["c0"].tolist() == trait[few:].tolist()


def test_what_is_only_skewed_stays() -> None:
    trait = np.exp(np.random.default_rng(3).standard_normal(1_000))
    members, _ = choose_cohort(numbers(trait, np.arange(1_000) % 97), (), ("c0", "c1"))
    assert len(members) == 1_000


def test_a_number_of_a_few_is_missing_where_numbers_are_classes() -> None:
    sex = np.arange(60) % 2 + 1.0
    sex[:9] = 7
    members, columns = choose_cohort(numbers(sex), (), ("c0",))
    assert members.tolist() == list(range(9, 60))
    assert set(columns["c0"]) == {1.0, 2.0}


def test_classes_of_which_all_but_one_are_rare_stay_for_the_floors_to_refuse() -> None:
    case = (np.arange(60) < 9).astype(float)
    members, _ = choose_cohort(numbers(case), (), ("c0",))
    assert len(members) == 60
