"""Deciding a column at a time is deciding row by row, only faster."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.consent import ConsentPolicy, Mode, Refusal, permits
from nebula.protocol.consent_columns import PolicyColumns, count_reasons
from nebula.protocol.study import StudyTerms
from simulators.consents import NOW, a_policy, policies, some_terms, terms


@given(rows=st.lists(policies, max_size=12), study=terms, draw=st.randoms())
def test_columns_decide_as_permits_does_row_by_row(rows: list[ConsentPolicy], study: StudyTerms, draw: object) -> None:
    approved = np.array([draw.random() < 0.5 for _ in rows], np.bool_)  # type: ignore[attr-defined]
    decided = PolicyColumns.encode(rows).decide(study, at=NOW, approved=approved)
    one_by_one = [
        permits(row, study, at=NOW, approved=bool(yes)).refusals for row, yes in zip(rows, approved, strict=True)
    ]
    assert decided.tolist() == [int(refusals) for refusals in one_by_one]


@given(rows=st.lists(policies, max_size=6), study=terms)
def test_without_approvals_nobody_has_approved(rows: list[ConsentPolicy], study: StudyTerms) -> None:
    decided = PolicyColumns.encode(rows).decide(study, at=NOW)
    assert decided.tolist() == [int(permits(row, study, at=NOW).refusals) for row in rows]


@given(rows=st.lists(policies, max_size=12), study=terms)
def test_counts_say_how_many_and_nothing_of_whom(rows: list[ConsentPolicy], study: StudyTerms) -> None:
    counts = count_reasons(PolicyColumns.encode(rows).decide(study, at=NOW))
    for refusal in Refusal:
        expected = sum(refusal in permits(row, study, at=NOW).refusals for row in rows)
        assert counts.get(str(refusal.name).lower(), 0) == expected
    assert 0 not in counts.values()


def test_rows_keep_the_order_they_were_given_in() -> None:
    rows = [
        a_policy(record=f"0x{number:040x}", mode=Mode.ASK if number == 2 else Mode.STANDING) for number in (3, 2, 1)
    ]
    columns = PolicyColumns.encode(rows)
    assert columns.records == tuple(row.record for row in rows)
    assert columns.decide(some_terms(), at=NOW).tolist() == [0, int(Refusal.APPROVAL), 0]


def test_laid_out_once_columns_decide_every_study() -> None:
    columns = PolicyColumns.encode([a_policy(price_floor_wei="5")])
    assert columns.decide(some_terms(price_per_record_wei="4"), at=NOW).tolist() == [int(Refusal.PRICE)]
    assert columns.decide(some_terms(price_per_record_wei="5"), at=NOW).tolist() == [0]


def test_amounts_beyond_sixty_four_bits_are_compared_exactly() -> None:
    floor = 2**80 + 1
    columns = PolicyColumns.encode([a_policy(price_floor_wei=str(floor))])
    assert columns.decide(some_terms(price_per_record_wei=str(floor - 1)), at=NOW).tolist() == [int(Refusal.PRICE)]
    assert columns.decide(some_terms(price_per_record_wei=str(floor)), at=NOW).tolist() == [0]
