"""What people pay does not grow unseen."""

import json

import pytest

from contracts.gas import TABLE, measure


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure()


def test_no_step_costs_more_than_the_committed_table_says(measured: dict[str, int]) -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    assert measured.keys() == table.keys()
    grown = {step: (table[step], gas) for step, gas in measured.items() if gas > table[step]}
    assert not grown, "write the table anew with `PYTHONPATH=tests python -m contracts.gas` if this is meant"


@pytest.mark.parametrize("records", [128, 1000, 1_000_000])
def test_a_study_over_any_number_of_records_is_funded_and_settled_for_165000(
    measured: dict[str, int], records: int
) -> None:
    assert measured[f"studies.fund + settle, {records} records"] <= 165_000


def test_an_owner_is_paid_for_28000_and_registered_for_34000(measured: dict[str, int]) -> None:
    assert measured["studies.claim_subtree of 128, per owner"] <= 28_000
    assert measured["records.put_many of 200, per record"] <= 34_000
