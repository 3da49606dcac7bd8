"""Over which records a run is, from a host that may say anything."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.enclave.order import read_candidates
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.messages import CandidatesAnswer
from simulators.keepers import SimulatedHost


def record(number: int) -> Address:
    return "0x" + f"{number:040x}"


@dataclass
class Naming:
    """Names these pages, one after the other."""

    pages: list[CandidatesAnswer]
    asked: list[Address | None] = field(default_factory=list)

    def candidates(self, after: Address | None) -> CandidatesAnswer:
        self.asked.append(after)
        return self.pages.pop(0)


def page(numbers: Sequence[int], *, more: bool) -> CandidatesAnswer:
    return CandidatesAnswer(records=tuple(map(record, numbers)), more=more)


@given(st.sets(st.integers(0, 1000), max_size=40), st.integers(1, 9))
def test_all_pages_together_are_the_order(numbers: set[int], size: int) -> None:
    host = SimulatedHost({}, ordered=[record(number) for number in numbers], page=size)
    assert read_candidates(host, most=40) == tuple(record(number) for number in sorted(numbers))


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        ([page([1, 2, 3, 4], more=False)], "run.too-many-records"),
        ([page([1, 2], more=True), page([3, 4], more=True)], "run.too-many-records"),
        ([page([2, 1], more=False)], "run.candidates"),
        ([page([1, 1], more=False)], "run.candidates"),
        ([page([1, 2], more=True), page([2], more=False)], "run.candidates"),
        ([page([], more=True)], "run.candidates"),
        ([page([1], more=True), page([], more=True)], "run.candidates"),
    ],
)
def test_an_order_that_leads_nowhere_or_repeats_itself_is_refused(pages: list[CandidatesAnswer], code: str) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        read_candidates(Naming(pages), most=3)  # type: ignore[arg-type]
    assert refusal.value.code == code
