"""A discovery's session in this process: real keys, ciphertext and letters; keepers in memory."""

import msgspec
import numpy as np
import pytest

from nebula.disclosure.people import least_told
from nebula.enclave import discover
from nebula.enclave.discover import serve
from nebula.protocol.beacon import Granularity, Query
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import DISCOVER, SPEND
from nebula.protocol.study import Condition
from nebula.protocol.wire import to_canonical
from simulators.discoveries import OpenSession, carriers, exactly, make_discovery, now, open_discovery, where
from simulators.storage import MemoryStorage
from simulators.studies import World, make_world

SITE = 7
FEMALE = where("sex", "=", "female")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("nebula.enclave.keepers.PAUSE_SECONDS", 0.0)
    world = make_world(MemoryStorage())
    make_discovery(world)
    return world


@pytest.fixture
def session(world: World) -> OpenSession:
    return open_discovery(world)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "tell_people", exactly)


def spendings(world: World) -> int:
    return sum(kind == SPEND.name for kind, _ in world.keepers[0].asked)


@pytest.mark.usefixtures("exact")
def test_carriers_are_counted_by_person_not_by_allele(session: OpenSession, world: World) -> None:
    expected = int((world.dosage[SITE] > 0).sum())
    assert session.count(Query(request_parameters=carriers(world.panel, SITE))) == expected


@pytest.mark.usefixtures("exact")
def test_every_filter_must_hold(session: OpenSession, world: World) -> None:
    female = np.arange(len(world.trait)) % 2 == 1
    tall = world.trait >= 180
    expected = int((female & tall & (world.dosage[SITE] > 0)).sum())
    query = Query(request_parameters=carriers(world.panel, SITE), filters=(FEMALE, where("height", ">=", 180.0)))
    assert 0 < expected < int((world.dosage[SITE] > 0).sum())
    assert session.count(query) == expected
    assert session.count(Query()) == len(world.owners)
    assert session.count(Query(filters=(where("nothing", "=", "such"),))) is None


@pytest.mark.usefixtures("exact")
def test_somebody_withdrawn_is_not_counted_from_their_block_on(session: OpenSession, world: World) -> None:
    before = session.ask(Query())
    for keeper in world.keepers:
        keeper.withdrawn.add(world.owners[0].record)
        keeper.block = 107
    after = session.ask(Query())
    assert (session.count(Query()), after.block_number) == (39, 107)
    assert before.block_number == 100


@pytest.mark.usefixtures("exact")
def test_one_keepers_word_is_enough_to_leave_somebody_out(session: OpenSession, world: World) -> None:
    world.keepers[2].withdrawn.add(world.owners[0].record)
    assert session.count(Query()) == 39


@pytest.mark.usefixtures("exact")
def test_who_denies_a_buyer_is_not_counted_for_that_buyer_alone(session: OpenSession, world: World) -> None:
    other = SigningKey.generate()
    for keeper in world.keepers:
        keeper.denied[session.buyer.address] = {owner.record for owner in world.owners[:5]}
    assert session.count(Query()) == 35
    assert session.count(Query(), buyer=other) == 40


def test_the_same_question_gets_the_same_answer_and_is_paid_once(session: OpenSession, world: World) -> None:
    query = Query(request_parameters=carriers(world.panel, SITE))
    answers = [session.ask(query) for _ in range(20)]
    assert len({to_canonical(answer.response) for answer in answers}) == 1
    assert spendings(world) == 1


def test_another_order_of_filters_and_another_granularity_are_the_same_question(
    session: OpenSession, world: World
) -> None:
    filters = (FEMALE, where("height", ">=", 100.0))
    session.ask(Query(filters=filters))
    session.ask(Query(filters=filters[::-1]))
    yes_or_no = session.ask(Query(filters=filters, requested_granularity=Granularity.BOOLEAN))
    assert spendings(world) == 1
    assert yes_or_no.response is not None
    assert yes_or_no.response.response_summary.num_total_results is None


def test_two_buyers_who_compare_notes_have_one_draw_and_both_paid(session: OpenSession, world: World) -> None:
    other = SigningKey.generate()
    query = Query()
    mine, theirs = session.ask(query), session.ask(query, buyer=other)
    assert mine.response == theirs.response
    assert {buyer for buyer, _ in world.keepers[0].told} == {session.buyer.address, other.address}
    assert len({draw for _, draw in world.keepers[0].told}) == 1


def test_other_people_are_another_draw_and_another_price(session: OpenSession, world: World) -> None:
    session.ask(Query())
    for keeper in world.keepers:
        keeper.withdrawn.add(world.owners[0].record)
    session.ask(Query())
    assert spendings(world) == 2


def test_what_a_draw_is_called_does_not_tell_the_question(world: World) -> None:
    first, second = open_discovery(world), open_discovery(world)
    for session in (first, second):
        session.ask(Query())
    assert len({draw for _, draw in world.keepers[0].told}) == 2


def test_a_letter_that_comes_again_gets_the_same_letter_and_costs_nothing(session: OpenSession, world: World) -> None:
    asked = session.letter(Query())
    first = session.answering.answer(asked.sealed)
    for keeper in world.keepers:
        keeper.withdrawn.add(world.owners[0].record)
    assert session.answering.answer(asked.sealed) == first
    assert spendings(world) == 1


def test_an_answer_says_nothing_by_its_length(session: OpenSession, world: World) -> None:
    queries = [Query(), Query(filters=(where("nothing", "=", "such"),)), Query(filters=(FEMALE,) * 3)]
    unknown = msgspec.structs.replace(carriers(world.panel, SITE), reference_bases="T")
    letters = [session.letter(query) for query in (*queries, Query(request_parameters=unknown))]
    assert len({len(asked.sealed) for asked in letters}) == 1
    assert len({len(session.answering.answer(asked.sealed)) for asked in letters}) == 1


def test_noise_is_real_and_small_numbers_are_not_told(session: OpenSession, world: World) -> None:
    told = session.ask(Query(filters=(where("nothing", "=", "such"),))).response
    assert told is not None
    assert told.info.noise_standard_deviation == 10.0
    assert told.info.least_told == least_told(5_000) == 31 + 1
    assert told.meta.test_mode
    assert told.response_summary.num_total_results is None


def test_below_the_floor_nobody_is_told_anything(session: OpenSession, world: World) -> None:
    for keeper in world.keepers:
        keeper.withdrawn = {owner.record for owner in world.owners[9:]}
    answer = session.ask(Query())
    assert answer.error is not None
    assert (answer.error.code, answer.response) == ("discovery.too-few-records", None)
    assert spendings(world) == 0


def test_a_study_may_raise_the_floor(world: World) -> None:
    make_discovery(world, min_records=40)
    session = open_discovery(world)
    world.keepers[0].withdrawn.add(world.owners[0].record)
    answer = session.ask(Query())
    assert answer.error is not None
    assert answer.error.code == "discovery.too-few-records"


def test_a_spent_budget_and_a_suspended_buyer_are_told_to_the_buyer_alone(session: OpenSession, world: World) -> None:
    for keeper in world.keepers:
        keeper.most_told = 1
    session.ask(Query())
    spent = session.ask(Query(filters=(FEMALE,)))
    again = session.ask(Query())
    for keeper in world.keepers:
        keeper.suspended.add(session.buyer.address)
    suspended = session.ask(Query())
    assert [answer.error and answer.error.code for answer in (spent, again, suspended)] == [
        "discovery.buyer-budget",
        None,
        "buyer.standing",
    ]


def test_with_too_few_keepers_the_question_waits_and_the_same_letter_may_come_again(
    session: OpenSession, world: World
) -> None:
    asked = session.letter(Query())
    for kind in (DISCOVER, SPEND):
        for keeper in world.keepers[:2]:
            keeper.down_for = {kind.name}
        with pytest.raises(UnavailableError):
            session.answering.answer(asked.sealed)
    for keeper in world.keepers[:1]:
        keeper.down_for = set()
    assert asked.open_answer(session.answering.answer(asked.sealed)).response is not None


def test_what_was_not_sealed_to_this_session_does_not_open(session: OpenSession, world: World) -> None:
    other = open_discovery(world)
    asked = other.letter(Query())
    with pytest.raises(IntegrityError):
        session.answering.answer(asked.sealed)
    with pytest.raises(IntegrityError):
        session.answering.answer(b"\x00" * 100)


def test_an_old_question_is_refused(session: OpenSession) -> None:
    from datetime import timedelta

    with pytest.raises(NotPermittedError) as refusal:
        session.answering.answer(session.letter(Query(), at=now() - timedelta(minutes=10)).sealed)
    assert refusal.value.code == "message.stale"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"assembly_id": "GRCh37"}, "discovery.assembly"),
        ({"reference_bases": "T"}, "discovery.variant"),
        ({"alternate_bases": "GA"}, "discovery.variant"),
        ({"start": (1,)}, "discovery.variant"),
    ],
)
def test_what_the_panel_does_not_have_is_said_and_costs_nothing(
    session: OpenSession, world: World, change: dict[str, object], code: str
) -> None:
    variant = msgspec.structs.replace(carriers(world.panel, SITE), **change)
    answer = session.ask(Query(request_parameters=variant))
    assert answer.error is not None
    assert answer.error.code == code
    assert spendings(world) == 0


def test_a_session_ends_when_it_is_old_and_when_it_is_full(
    session: OpenSession, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = [session.letter(Query(filters=(FEMALE,))), session.letter(Query())]
    world.host.incoming = [asked.sealed for asked in letters]
    monkeypatch.setattr(discover, "MAX_ANSWERS", 2)
    with pytest.raises(UnavailableError) as ended:
        serve(session.answering, monotonic=lambda: 0.0)
    assert ended.value.code == "discovery.refresh"
    for asked, reply in zip(letters, world.host.replies, strict=True):
        assert isinstance(reply, bytes)
        assert asked.open_answer(reply).error is None
    times = iter([0.0, 10.0**9])
    with pytest.raises(UnavailableError):
        serve(open_discovery(world).answering, monotonic=lambda: next(times))


def test_a_stranger_at_the_door_does_not_end_the_session(session: OpenSession, world: World) -> None:
    asked = session.letter(Query())
    world.host.incoming = [b"\x01" * 64, asked.sealed]
    times = iter([0.0, 1.0, 1.0, 10.0**9])
    with pytest.raises(UnavailableError):
        serve(session.answering, monotonic=lambda: next(times))
    refused, reply = world.host.replies
    assert isinstance(refused, IntegrityError)
    assert isinstance(reply, bytes)
    assert asked.open_answer(reply).response is not None


def test_a_discovery_with_conditions_is_none(world: World) -> None:
    make_discovery(world, conditions=(Condition(column="sex", equals="female"),))
    with pytest.raises(RejectedInputError) as refusal:
        world.run()
    assert refusal.value.code == "run.conditions"
