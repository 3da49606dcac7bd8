"""Attackers around a discovery: a buyer out for one person, a host and a hub that lie, a worker that is killed.

Who may be counted and what a buyer may be told, keepers decide (keeper/test_discover.py); whom a buyer believes:
buyer/test_discover.py; the whole network: journeys/test_discovery.py.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from nebula.disclosure.people import people_noise_scale, tell_people
from nebula.disclosure.risk import noised_membership_auc_bound
from nebula.protocol.beacon import Query
from nebula.protocol.errors import UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import DISCOVER, SPEND
from nebula.protocol.wire import to_canonical
from simulators.discoveries import OpenSession, carriers, make_discovery, open_discovery, where
from simulators.storage import MemoryStorage
from simulators.studies import World, make_world

CANARY = "Zebrafieber-links"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    world = make_world(MemoryStorage())
    make_discovery(world)
    return world


@pytest.fixture
def session(world: World) -> OpenSession:
    return open_discovery(world)


def told(session: OpenSession, query: Query, buyer: SigningKey | None = None) -> bytes:
    answer = session.ask(query, buyer=buyer)
    return to_canonical(answer.response or answer.error)


# A buyer who is out for one person


def test_asking_again_averages_nothing(session: OpenSession) -> None:
    query = Query(filters=(where("height", ">=", 150.0),))
    reworded = Query(filters=(where("height", ">=", 150),))
    assert len({told(session, query) for _ in range(50)} | {told(session, reworded)}) == 1


def test_pooling_two_buyers_averages_nothing(session: OpenSession) -> None:
    assert told(session, Query(), SigningKey.generate()) == told(session, Query(), SigningKey.generate())


def test_two_counts_that_differ_in_one_person_hardly_tell_which_is_which() -> None:
    """Differencing: one person more or less. The bound is that of the noise, and the trials keep to it."""
    trials = 1_000
    right = sum(_larger(tell_people(1031, 5_000).people, tell_people(1030, 5_000).people) for _ in range(trials))
    best = NormalDist().cdf(1 / (people_noise_scale(5_000) * 2**0.5))
    assert best == pytest.approx(noised_membership_auc_bound(5_000)) == pytest.approx(0.528, abs=0.001)
    assert right / trials < best + 4 * (0.25 / trials) ** 0.5


def _larger(one: int | None, other: int | None) -> float:
    assert one is not None
    assert other is not None
    return 0.5 if one == other else float(one > other)


def test_a_tracker_pays_for_each_of_its_parts(session: OpenSession, world: World) -> None:
    """A count of all, one of all but the target, one of the target: each is a draw of its own."""
    for keeper in world.keepers:
        keeper.most_told = 3
    tallest = float(np.sort(world.trait)[-1])
    rest, target = where("height", "<=", tallest - 1e-6), where("height", ">=", tallest)
    parts = [(), (rest,), (target,), (rest, where("sex", "=", "male"))]
    answers = [session.ask(Query(filters=filters)) for filters in parts]
    assert [answer.error and answer.error.code for answer in answers] == [None, None, None, "discovery.buyer-budget"]
    alone = answers[2].response
    assert alone is not None
    assert not alone.response_summary.exists


def test_nobody_and_one_person_look_alike(session: OpenSession, world: World) -> None:
    tallest = float(np.sort(world.trait)[-1])
    one = session.ask(Query(filters=(where("height", ">=", tallest),))).response
    none = session.ask(Query(filters=(where("height", ">=", tallest + 1),))).response
    assert one is not None
    assert none is not None
    assert one.response_summary == none.response_summary


# A worker that is killed


def test_a_killed_worker_does_not_give_a_second_draw_for_one_price(world: World) -> None:
    for keeper in world.keepers:
        keeper.most_told = 1
    buyer = SigningKey.generate()
    first, second = open_discovery(world), open_discovery(world)
    assert first.ask(Query(), buyer=buyer).error is None
    refused = second.ask(Query(), buyer=buyer).error
    assert refused is not None
    assert refused.code == "discovery.buyer-budget"


def test_a_discovery_ends_without_any_output(world: World) -> None:
    """No receipt is ever signed: the escrow has only one way, back."""
    world.host.receive = lambda _session: (_ for _ in ()).throw(UnavailableError("host.gone", "the pipe is closed"))  # type: ignore[method-assign, assignment]
    with pytest.raises(UnavailableError) as ended:
        world.run()
    assert ended.value.code == "host.gone"


# A host that lies


def drop(world: World, kind: str) -> None:
    """The host loses what goes to two of the three keepers."""
    for keeper in world.keepers[:2]:
        keeper.down_for = {kind}


def forge(world: World, kind: str) -> None:
    """The host says in two keepers' names what is convenient: nobody is refused, the spending is noted."""
    said = b'"refused":[' if kind == DISCOVER.name else b'"accepted":true'
    for keeper in world.keepers[:2]:
        keeper.bend_answer = lambda raw: raw.replace(said, said.replace(b":", b": "))


@pytest.mark.parametrize("kind", [DISCOVER.name, SPEND.name])
@pytest.mark.parametrize("lie", [drop, forge])
def test_without_the_keepers_own_word_nothing_is_told(
    session: OpenSession, world: World, kind: str, lie: Callable[[World, str], None]
) -> None:
    lie(world, kind)
    asked = session.letter(Query())
    try:
        told = asked.open_answer(session.answering.answer(asked.sealed))
    except UnavailableError:
        told = None  # it may be answered later
    assert told is None or (told.response is None and told.error is not None)
    assert session.answering._draws == {}


def test_nothing_that_is_carried_says_what_was_asked_or_answered(session: OpenSession, world: World) -> None:
    """Promise 1, for questions: neither hub nor host nor keepers see the filter, the variant or the number."""
    site = world.panel.site(7)
    asked = session.letter(Query(request_parameters=carriers(world.panel, 7), filters=(where(CANARY, "=", "no"),)))
    reply = session.answering.answer(asked.sealed)
    carried = [asked.sealed, reply, *(request.envelope for request in world.host.carried)]
    for secret in (CANARY.encode(), f'"start":[{site.pos - 1}]'.encode(), b"numTotalResults", b"exists"):
        assert not any(secret in content for content in carried)
    assert asked.open_answer(reply).response is not None
