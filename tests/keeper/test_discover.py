"""Who may be counted for a buyer now, and what a buyer may still be told."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.world import EnclaveSession, World
from nebula.database import reading
from nebula.keeper import log
from nebula.keeper.discover import discover, spend
from nebula.protocol.errors import NebulaError, NotPermittedError
from nebula.protocol.funding import study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import DiscoverRequest, SpendRequest
from nebula.protocol.study import BuyerFacts, ResultClass, StudyDocument

DRAWS = tuple(f"0x{number:064x}" for number in range(1, 9))


def discovery(world: World, *, total: int = 4_000, **parameters: int) -> StudyDocument:
    """A discovery of four answers, two for each buyer. All keepers are needed, so each charges the price."""
    return world.study(
        keeper_threshold=3,
        analysis="discovery@1",
        parameters={"question_micro_rho": 1_000, "buyer_micro_rho": 2_000, **parameters},
        result_class=ResultClass.NOISED,
        privacy_micro_rho=total,
    )


def a_buyer(world: World, **facts: Any) -> str:
    buyer = SigningKey.generate().address
    known = {"address": buyer, "country": "CH", "non_profit": True, "accredited": False, **facts}
    world.ledger.buyers[buyer] = BuyerFacts(**known)
    return buyer


def refused_to(world: World, session: EnclaveSession, buyer: str, *records: str) -> tuple[str, ...]:
    request = DiscoverRequest(study=study_id(session.study), run=session.run, buyer=buyer, records=records)
    return discover(world.keeper, request, session.address).refused


def tell(world: World, session: EnclaveSession, buyer: str, draw: str) -> None:
    request = SpendRequest(study=study_id(session.study), run=session.run, buyer=buyer, draw=draw)
    spend(world.keeper, request, session.address)


def refusal(world: World, session: EnclaveSession, buyer: str, draw: str) -> str | None:
    try:
        tell(world, session, buyer, draw)
    except NotPermittedError as error:
        return error.code
    return None


def test_only_who_is_discoverable_is_released_and_counted(world: World) -> None:
    seen, hidden = world.owner(), world.owner(discoverable=False)
    session = world.session(discovery(world))
    released = world.release(session, seen.record, hidden.record).released
    assert [one.record for one in released] == [seen.record]
    assert refused_to(world, session, a_buyer(world), seen.record, hidden.record) == (hidden.record,)


def test_no_price_is_asked_of_a_discovery_and_every_other_condition_holds(world: World) -> None:
    dear, exact_only = world.owner(price_floor_wei="1000"), world.owner(result_classes=(ResultClass.HITS,))
    session = world.session(discovery(world))
    released = world.release(session, dear.record, exact_only.record).released
    assert [one.record for one in released] == [dear.record]


def test_a_withdrawal_counts_with_its_block(world: World) -> None:
    owner = world.owner()
    session, buyer = world.session(discovery(world)), a_buyer(world)
    world.release(session, owner.record)
    assert refused_to(world, session, buyer, owner.record) == ()
    world.ledger.withdraw(owner.record)
    assert refused_to(world, session, buyer, owner.record) == (owner.record,)


def test_who_stops_being_discoverable_is_not_counted_any_more(world: World) -> None:
    owner = world.owner()
    session, buyer = world.session(discovery(world)), a_buyer(world)
    world.release(session, owner.record)
    world.change_policy(owner, 2, discoverable=False)
    assert refused_to(world, session, buyer, owner.record) == (owner.record,)


def test_a_policy_is_held_against_the_buyer_who_asks(world: World) -> None:
    wanted, unwanted, abroad = a_buyer(world), a_buyer(world), a_buyer(world, country="US")
    chooser = world.owner(buyers_denied=(unwanted,))
    swiss = world.owner(jurisdictions=("CH",))
    session = world.session(discovery(world))
    world.release(session, chooser.record, swiss.record)
    both = (chooser.record, swiss.record)
    assert refused_to(world, session, wanted, *both) == ()
    assert refused_to(world, session, unwanted, *both) == (chooser.record,)
    assert refused_to(world, session, abroad, *both) == (swiss.record,)


def test_who_was_never_released_is_never_counted(world: World) -> None:
    owner = world.owner()
    session = world.session(discovery(world))
    assert refused_to(world, session, a_buyer(world), owner.record) == (owner.record,)


def test_the_owner_can_read_once_that_they_were_not_counted(world: World) -> None:
    buyer, owner = a_buyer(world), world.owner()
    session = world.session(discovery(world))
    world.release(session, owner.record)
    world.change_policy(owner, 2, discoverable=False)
    for _ in range(3):
        refused_to(world, session, buyer, owner.record)
    with reading(world.engine) as connection:
        entries = log.about(connection, owner.record, after=0, limit=10)
        log.verify_log(connection)
    assert [(entry.step, entry.released) for entry in entries] == [("release", True), ("discover", False)]
    assert entries[1].reasons == ("discovery",)


@pytest.mark.parametrize("what", ["a stranger", "a suspended buyer"])
def test_a_buyer_without_standing_is_told_nothing(world: World, what: str) -> None:
    buyer = SigningKey.generate().address if what == "a stranger" else a_buyer(world)
    owner, session = world.owner(), world.session(discovery(world))
    world.release(session, owner.record)
    world.ledger.buyers.pop(buyer, None)
    with pytest.raises(NotPermittedError) as refused:
        refused_to(world, session, buyer, owner.record)
    assert refused.value.code == "buyer.standing"
    assert refusal(world, session, buyer, DRAWS[0]) == "buyer.standing"


def test_a_study_that_is_no_discovery_answers_nobody(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.release(session, owner.record)
    with pytest.raises(NebulaError) as refused:
        refused_to(world, session, a_buyer(world), owner.record)
    assert refused.value.code == "discovery.study"
    with pytest.raises(NebulaError) as refused:
        tell(world, session, a_buyer(world), DRAWS[0])
    assert refused.value.code == "discovery.study"


def test_a_session_that_may_not_ask_gets_no_answer(world: World) -> None:
    document, buyer = discovery(world), a_buyer(world)
    for session in (world.new_session(document), world.appraised(document)):
        with pytest.raises(NebulaError):
            tell(world, session, buyer, DRAWS[0])
    over = world.session(document)
    world.pass_time(days=31)
    assert refusal(world, over, buyer, DRAWS[0]) == "study.deadline"


def test_a_buyer_is_told_what_one_buyer_may_be_told_and_the_same_again_for_nothing(world: World) -> None:
    session, buyer = world.session(discovery(world)), a_buyer(world)
    told = [refusal(world, session, buyer, draw) for draw in (*DRAWS[:2], DRAWS[0], DRAWS[2], DRAWS[1])]
    assert told == [None, None, None, "discovery.buyer-budget", None]


def test_all_buyers_together_are_told_what_the_records_paid_for(world: World) -> None:
    session = world.session(discovery(world))
    buyers = [a_buyer(world) for _ in range(3)]
    told = [refusal(world, session, buyers[place // 2], draw) for place, draw in enumerate(DRAWS[:5])]
    assert told == [None, None, None, None, "discovery.budget"]


def test_a_keeper_charges_for_those_that_do_not_hear_of_a_draw(world: World) -> None:
    """Two of three keepers note each draw: each charges 3/2, and the host may choose which two as it likes."""
    document = msgspec.structs.replace(discovery(world, total=3_000, buyer_micro_rho=3_000), keeper_threshold=2)
    world.ledger.set_open(study_id(document))
    session, buyer = world.session(document), a_buyer(world)
    told = [refusal(world, session, buyer, draw) for draw in DRAWS[:3]]
    assert told == [None, None, "discovery.buyer-budget"]


def test_a_draw_that_several_are_told_was_drawn_once(world: World) -> None:
    session = world.session(discovery(world, total=1_000))
    first, second = a_buyer(world), a_buyer(world)
    assert refusal(world, session, first, DRAWS[0]) is None
    assert refusal(world, session, second, DRAWS[0]) is None
    assert refusal(world, session, second, DRAWS[1]) == "discovery.budget"


def test_another_session_and_a_restarted_keeper_forget_nothing(world: World) -> None:
    """A worker that is killed takes its noise with it: the next one's draw of the same name is another, and pays."""
    document, buyer = discovery(world), a_buyer(world)
    tell(world, world.session(document), buyer, DRAWS[0])
    world.keeper = world.restarted()
    second = world.session(document)
    assert refusal(world, second, buyer, DRAWS[0]) is None
    assert refusal(world, second, buyer, DRAWS[1]) == "discovery.buyer-budget"
    assert refusal(world, world.session(document), buyer, DRAWS[0]) == "discovery.buyer-budget"


def test_a_records_budget_pays_for_the_whole_discovery_once(world: World) -> None:
    owner = world.owner(privacy_budget_micro_rho=7_000)
    document = discovery(world)
    for _ in range(3):
        assert len(world.release(world.session(document), owner.record).released) == 1
    another = world.session(discovery(world, refresh_seconds=60), run="0x" + "22" * 32)
    assert world.release(another, owner.record).released == ()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 5)), max_size=25),
    total=st.integers(1, 8),
    each=st.integers(1, 5),
)
def test_whoever_asks_what_in_whatever_order_no_more_is_told_than_was_paid_for(
    world: World, asked: list[tuple[int, int, int]], total: int, each: int
) -> None:
    document = discovery(world, total=1_000 * total, buyer_micro_rho=1_000 * each)
    sessions = [world.session(document) for _ in range(2)]
    buyers = [a_buyer(world) for _ in range(3)]
    told: set[tuple[int, int, int]] = set()
    for session, buyer, draw in asked:
        again = (session, buyer, draw) in told
        code = refusal(world, sessions[session], buyers[buyer], DRAWS[draw])
        assert not (again and code), "what was told is told again for nothing"
        if code is None:
            told.add((session, buyer, draw))
    assert len({(session, draw) for session, _, draw in told}) <= total
    assert all(sum(one[1] == buyer for one in told) <= each for buyer in range(3))
