import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.disclosure.risk import class_auc, membership_risk_auc, noised_membership_auc_bound, owner_sentence
from nebula.protocol.study import ResultClass


@pytest.mark.parametrize(("people", "variants", "auc"), [(1000, 1000, 0.78), (1000, 10_000, 0.99)])
def test_the_risk_is_what_the_attack_measured(people: int, variants: int, auc: float) -> None:
    assert membership_risk_auc(people, variants) == pytest.approx(auc, abs=0.005)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_more_variants_or_fewer_people_are_never_safer(people: int, variants: int) -> None:
    risk = membership_risk_auc(people, variants)
    assert 0.5 <= risk <= membership_risk_auc(people, variants + 1000)
    assert membership_risk_auc(people + 1000, variants) <= risk <= 1


def test_noise_bounds_the_risk_whatever_is_released() -> None:
    assert noised_membership_auc_bound(0) == 0.5
    bound = noised_membership_auc_bound(500_000)
    assert class_auc(ResultClass.NOISED, people=100, variants=10**6, micro_rho=500_000) == bound < 0.77


@given(st.integers(100, 100_000), st.integers(1, 10**6))
def test_hits_never_tell_more_than_everything(people: int, variants: int) -> None:
    risks = [class_auc(kind, people=people, variants=variants) for kind in (ResultClass.HITS, ResultClass.FULL)]
    assert risks[0] <= risks[1]


def test_an_owner_is_told_in_plain_words() -> None:
    sentence = owner_sentence(ResultClass.FULL, people=1000, variants=10_000)
    assert "accredited" in sentence
    assert "more than 99 times in 100" in sentence
    assert "practically proof" in sentence
    noised = owner_sentence(ResultClass.NOISED, people=2504, variants=20_000, micro_rho=10_000)
    assert "about 54 times in 100" in noised
    assert "next to nothing" in noised
