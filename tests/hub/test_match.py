from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.hub.match import highest_told_alike, match, thresholded
from nebula.protocol.errors import UnavailableError
from nebula.protocol.messages import MatchAnswer, MatchRequest

RECORDS = [f"0x{number:040x}" for number in range(10)]


class Keeper:
    """Answers in pages of three, or not at all."""

    def __init__(self, records: list[str], refused: dict[str, int] | None = None, *, away: bool = False) -> None:
        self.address = "0x" + "aa" * 20
        self._records, self._refused, self._away = sorted(records), refused or {}, away

    def ask(self, _kind: Any, body: MatchRequest, _answer: Any) -> MatchAnswer:
        if self._away:
            raise UnavailableError("peer.away", "away")
        page = [record for record in self._records if body.after is None or record > body.after][:3]
        more = bool(page) and page[-1] != self._records[-1]
        refused = self._refused if body.after is None else {}
        return MatchAnswer(records=tuple(page), refused=refused, next_after=page[-1] if more else None)


def ask(*keepers: Keeper, threshold: int = 2) -> Any:
    return match(object(), keepers, threshold=threshold)  # type: ignore[arg-type]


def test_a_record_is_a_candidate_when_enough_keepers_would_release_it() -> None:
    found = ask(Keeper(RECORDS[:8]), Keeper(RECORDS[4:]), Keeper(RECORDS[6:7]))

    assert found.records == tuple(RECORDS[4:8])


def test_keepers_that_are_away_are_done_without_while_enough_answer() -> None:
    assert ask(Keeper(RECORDS), Keeper(RECORDS), Keeper([], away=True)).records == tuple(RECORDS)
    with pytest.raises(UnavailableError):
        ask(Keeper(RECORDS), Keeper([], away=True), Keeper([], away=True))


def test_refusals_are_the_most_that_one_keeper_counted() -> None:
    assert ask(Keeper(RECORDS, {"price": 3}), Keeper(RECORDS, {"price": 5, "expired": 1})).refused == {
        "price": 5,
        "expired": 1,
    }


def test_a_keeper_that_turns_the_same_page_forever_is_left() -> None:
    class Looping(Keeper):
        def ask(self, _kind: Any, _body: MatchRequest, _answer: Any) -> MatchAnswer:
            return MatchAnswer(records=(), refused={}, next_after=RECORDS[0])

    with pytest.raises(UnavailableError):
        ask(Looping([]), Looping([]))


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "fewer than 100"), (99, "fewer than 100"), (100, "100 or more"), (2549, "2,500 or more")]
)
def test_a_count_before_payment_is_rounded_and_never_small(count: int, shown: str) -> None:
    assert thresholded(count) == shown


@given(st.integers(0, 10_000_000))
def test_the_number_beside_a_count_is_the_highest_of_the_same_words(count: int) -> None:
    highest = highest_told_alike(count)
    assert highest >= count
    assert thresholded(highest) == thresholded(count)
    assert thresholded(highest + 1) != thresholded(count)
