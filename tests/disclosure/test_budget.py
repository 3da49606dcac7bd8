import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nebula.disclosure.budget import PrivacyBudget
from nebula.protocol.errors import NotPermittedError


class Spending(RuleBasedStateMachine):
    """Whatever is asked for in whatever order, what was spent adds up and never passes the limit."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = PrivacyBudget(limit_micro_rho=1_000_000)
        self.accepted: list[int] = []

    @rule(micro_rho=st.integers(0, 400_000))
    def spend(self, micro_rho: int) -> None:
        before = self.budget
        try:
            self.budget = self.budget.spend(micro_rho)
        except NotPermittedError:
            assert micro_rho > before.left_micro_rho
        else:
            self.accepted.append(micro_rho)
            assert self.budget.spent_micro_rho >= before.spent_micro_rho

    @invariant()
    def spending_adds_up(self) -> None:
        assert self.budget.spent_micro_rho == sum(self.accepted)
        assert 0 <= self.budget.left_micro_rho <= 1_000_000


TestSpending = Spending.TestCase


@given(st.integers(0, 10**9))
def test_a_budget_can_be_spent_to_the_last_bit_and_not_beyond(limit: int) -> None:
    spent = PrivacyBudget(limit_micro_rho=limit).spend(limit)
    assert spent.left_micro_rho == 0
    with pytest.raises(NotPermittedError):
        spent.spend(1)


def test_a_release_cannot_give_budget_back() -> None:
    with pytest.raises(ValueError, match="nothing or more"):
        PrivacyBudget(limit_micro_rho=10, spent_micro_rho=5).spend(-1)


@pytest.mark.parametrize("raw", [b'{"limit_micro_rho":1,"spent_micro_rho":2}', b'{"limit_micro_rho":-1}'])
def test_an_overdrawn_or_negative_budget_does_not_parse(raw: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=PrivacyBudget)
