"""Whose turn it is: no order, of whatever kind, keeps the others from being given."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from nebula.database import open_database, reading, writing
from nebula.hub import state, tables
from nebula.hub.orders import Orders
from nebula.hub.state import RunState
from nebula.protocol.errors import UnavailableError
from nebula.protocol.funding import run_id, study_id
from nebula.protocol.messages import OrderRequest
from nebula.protocol.study import StudyDocument
from nebula.protocol.typed_data import Domain
from simulators.discoveries import make_discovery
from simulators.hub import HOST
from simulators.storage import MemoryStorage
from simulators.studies import CHAIN_ID, STUDIES, make_world

RECORDS = tuple(f"0x{number:040x}" for number in range(200))


@dataclass
class Market:
    """A hub's orders. ``matching``: how many records match a study of this title; None: its keepers are away."""

    engine: Engine
    study: StudyDocument
    discovery: StudyDocument
    matching: dict[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.orders = Orders(
            self.engine,
            None,  # type: ignore[arg-type]
            studies=Domain(CHAIN_ID, STUDIES),
            hosts=frozenset({HOST}),
            settle=lambda _run: None,
            match=self._match,
        )

    def order(self, document: StudyDocument, **changes: Any) -> str:
        changed = msgspec.structs.replace(document, **changes)
        study = study_id(changed)
        with writing(self.engine) as connection:
            state.add_study(connection, study, changed)
            state.add_run(connection, run_id(study), study, deadline=changed.deadline)
            state.set_state(connection, run_id(study), RunState.ORDERED)
        return run_id(study)

    def given(self, work: str) -> str | None:
        request = OrderRequest(measurement=self.study.measurement, work=work)  # type: ignore[arg-type]
        order = self.orders.next_order(request, HOST).order
        return None if order is None else order.run

    def candidates(self, run: str) -> set[str]:
        with reading(self.engine) as connection:
            return set(state.page_of_candidates(connection, run, after=None, limit=1000)[0])

    def _match(self, study: StudyDocument) -> tuple[str, ...]:
        matching = self.matching.get(study.title, 200)
        if matching is None:
            raise UnavailableError("hub.keepers-away", "its keepers do not answer")
        return RECORDS[:matching]


@pytest.fixture
def market(database_url: str) -> Iterator[Market]:
    world = make_world(MemoryStorage(), people=24)
    study = world.study
    make_discovery(world)
    engine = open_database(database_url, tables.metadata, party="hub")
    yield Market(engine, study, world.study)
    engine.dispose()


def test_discoveries_that_stand_hide_no_study(market: Market) -> None:
    for number in range(120):
        market.order(market.discovery, title=f"discovery {number}")
    assert market.given("studies") is None
    study = market.order(market.study, title="the one study")
    assert market.given("studies") == study


def test_orders_come_in_the_order_in_which_they_were_published(market: Market) -> None:
    published = [market.order(market.study, title=f"study {number}") for number in range(10)]
    assert [market.given("studies") for _ in published] == published


def test_one_host_answers_for_all_discoveries_in_turn(market: Market) -> None:
    published = [market.order(market.discovery, title=f"discovery {number}") for number in range(3)]
    assert [market.given("discoveries") for _ in range(6)] == published * 2


def test_an_order_that_fails_again_and_again_keeps_no_other_waiting(market: Market) -> None:
    failing, other = (market.order(market.study, title=title) for title in ("failing", "other"))
    assert [market.given("studies") for _ in range(3)] == [failing, other, failing]


@pytest.mark.parametrize("matching", [0, None])
def test_a_discovery_that_nobody_matches_or_whose_keepers_are_away_is_passed_over(
    market: Market, matching: int | None
) -> None:
    market.matching["nobody's"] = matching
    market.order(market.discovery, title="nobody's")
    other = market.order(market.discovery, title="everybody's")
    assert [market.given("discoveries") for _ in range(2)] == [other, other]


def test_where_the_keepers_of_all_discoveries_are_away_the_host_hears_so(market: Market) -> None:
    market.matching["away"] = None
    market.order(market.discovery, title="away")
    with pytest.raises(UnavailableError):
        market.given("discoveries")


def test_a_discovery_that_more_match_than_it_may_count_counts_the_same_people_in_each_session(market: Market) -> None:
    """Who is released pays with the privacy budget, so new people in each session would all pay, in the end."""
    run = market.order(market.discovery, title="of thirty", min_records=10, max_records=30)
    market.given("discoveries")
    first = market.candidates(run)
    assert len(first) == 30
    for _ in range(5):
        market.given("discoveries")
        assert market.candidates(run) == first


def test_who_leaves_a_full_discovery_makes_room_for_one_other(market: Market) -> None:
    run = market.order(market.discovery, title="of thirty", min_records=10, max_records=30)
    market.given("discoveries")
    first = market.candidates(run)
    market.matching["of thirty"] = 150
    market.given("discoveries")
    assert market.candidates(run) >= first.intersection(RECORDS[:150])
    assert len(market.candidates(run)) == 30
    assert market.candidates(run) <= set(RECORDS[:150])
