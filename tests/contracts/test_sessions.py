"""Which sessions the keepers vouch for."""

from typing import Any

import boa
import pytest

from contracts.deployment import FOREVER, KEEPER, NO_SIGNATURE, ZERO, Deployment, Key, as_bytes, hexed
from nebula.protocol import typed_data
from nebula.protocol.signing import ORDER


def vouches(ledger: Deployment, **changes: Any) -> bool:
    fields = {
        "session": ledger.session.address,
        "study": hexed("study"),
        "run": hexed("run"),
        "measurement": ledger.measurement,
        "trust_root": ledger.trust_root,
        "simulated": True,
    } | changes
    session, *digests, simulated = fields.values()
    return bool(ledger.sessions.vouches_for(session, *map(as_bytes, digests), simulated))


def test_two_keepers_of_three_enter_a_session(ledger: Deployment) -> None:
    vote = ledger.vote()
    ledger.register_session(vote, ledger.votes(vote, ledger.keepers[1:]))

    assert ledger.sessions.is_registered(ledger.session.address)
    assert vouches(ledger)


def test_a_session_stands_for_exactly_what_was_voted_on(ledger: Deployment) -> None:
    vote = ledger.vote()
    ledger.register_session(vote, ledger.votes(vote, ledger.keepers))
    for change in ("study", "run", "measurement", "trust_root"):
        assert not vouches(ledger, **{change: hexed("another")})
    assert not vouches(ledger, session=ledger.stranger.address)
    assert not vouches(ledger, session=ZERO)


def test_simulated_hardware_never_passes_for_genuine(ledger: Deployment) -> None:
    vote = ledger.vote()
    ledger.register_session(vote, ledger.votes(vote, ledger.keepers))
    assert not vouches(ledger, simulated=False)


def test_fewer_than_the_threshold_enter_nothing(ledger: Deployment) -> None:
    vote = ledger.vote()
    for few in (0, 1):
        with boa.reverts("too few keepers voted for this session"):
            ledger.register_session(vote, ledger.votes(vote, ledger.keepers[:few]))


def test_one_keeper_is_not_counted_twice(ledger: Deployment) -> None:
    vote = ledger.vote()
    with boa.reverts("the votes must be in ascending order of distinct keepers"):
        ledger.register_session(vote, ledger.votes(vote, [ledger.keepers[0]] * 2))
    with boa.reverts("the votes must be in ascending order of distinct keepers"):
        ledger.register_session(vote, ledger.votes(vote, ledger.keepers)[::-1])


def test_a_mirrored_signature_is_not_a_second_vote(ledger: Deployment) -> None:
    vote = ledger.vote()
    (good,) = ledger.votes(vote, ledger.keepers[:1])
    mirrored = good[:32] + (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([55 - good[64]])
    with boa.reverts("a vote is not validly signed"):
        ledger.register_session(vote, [good, mirrored])
    with boa.reverts("a vote is not validly signed"):
        ledger.register_session(vote, [NO_SIGNATURE, good])


@pytest.mark.parametrize("outsider", ["stranger", "buyer", "governor"])
def test_only_keepers_vote(ledger: Deployment, outsider: str) -> None:
    vote = ledger.vote()
    with boa.reverts("a vote is not by a keeper in good standing"):
        ledger.register_session(vote, ledger.votes(vote, [ledger.keepers[0], getattr(ledger, outsider)]))


def test_a_keeper_without_standing_does_not_vote(ledger: Deployment) -> None:
    vote, governor = ledger.vote(), ledger.governor.address
    with boa.env.anchor():
        ledger.organizations.suspend(ledger.keepers[0].address, sender=governor)
        with boa.reverts("a vote is not by a keeper in good standing"):
            ledger.register_session(vote, ledger.votes(vote, ledger.keepers[:2]))
    ledger.organizations.renew(ledger.keepers[0].address, KEEPER, ledger.now + 5, sender=governor)
    boa.env.time_travel(seconds=5)
    with boa.reverts("a vote is not by a keeper in good standing"):
        ledger.register_session(vote, ledger.votes(vote, ledger.keepers[:2]))


@pytest.mark.parametrize("field", ["session", "study", "run", "evidence"])
def test_votes_for_one_session_do_not_enter_another(ledger: Deployment, field: str) -> None:
    vote = ledger.vote()
    other = ledger.vote(**{field: Key("x").address if field == "session" else hexed("x")})
    with boa.reverts():
        ledger.register_session(other, ledger.votes(vote, ledger.keepers))


def test_votes_for_another_chain_are_worthless_here(ledger: Deployment) -> None:
    vote, here = ledger.vote(), ledger.domain(ledger.sessions)
    elsewhere = typed_data.Domain(here.chain_id + 1, here.contract)
    message = typed_data.session_vote_digest(elsewhere, vote)
    keepers = sorted(ledger.keepers, key=lambda keeper: keeper.address)
    with boa.reverts():
        ledger.register_session(vote, [keeper.sign(message) for keeper in keepers])


def test_code_that_was_not_approved_or_is_no_longer_runs_nothing(ledger: Deployment) -> None:
    for change in ("measurement", "trust_root"):
        vote = ledger.vote(**{change: hexed("unapproved")})
        with boa.reverts("this measurement is not approved"):
            ledger.register_session(vote, ledger.votes(vote, ledger.keepers))

    vote = ledger.vote()
    ledger.register_session(vote, ledger.votes(vote, ledger.keepers))
    ledger.sessions.revoke_measurement(
        as_bytes(ledger.measurement), as_bytes(ledger.trust_root), sender=ledger.governor.address
    )
    assert not vouches(ledger)
    later = ledger.vote(session=Key("later session").address)
    with boa.reverts("this measurement is not approved"):
        ledger.register_session(later, ledger.votes(later, ledger.keepers))


def test_a_session_is_registered_once(ledger: Deployment) -> None:
    vote = ledger.vote()
    ledger.register_session(vote, ledger.votes(vote, ledger.keepers))
    again = ledger.vote(study=hexed("another study"))
    with boa.reverts("this session is already registered"):
        ledger.register_session(again, ledger.votes(again, ledger.keepers))


def test_the_zero_address_is_no_session(ledger: Deployment) -> None:
    vote = ledger.vote(session=ZERO)
    with boa.reverts("the zero address is no session"):
        ledger.register_session(vote, ledger.votes(vote, ledger.keepers))


def test_only_the_governor_approves_and_revokes(ledger: Deployment) -> None:
    measured = as_bytes(ledger.measurement), as_bytes(ledger.trust_root)
    for someone in (ledger.operator, ledger.keepers[0], ledger.stranger):
        with boa.reverts("only the governor may do this"):
            ledger.sessions.approve_measurement(*measured, False, sender=someone.address)
        with boa.reverts("only the governor may do this"):
            ledger.sessions.revoke_measurement(*measured, sender=someone.address)


def test_empty_names_are_not_approved(ledger: Deployment) -> None:
    governor, something = ledger.governor.address, as_bytes(hexed("x"))
    with boa.reverts("an empty measurement measures nothing"):
        ledger.sessions.approve_measurement(bytes(32), something, False, sender=governor)
    with boa.reverts("an approval names its root of trust"):
        ledger.sessions.approve_measurement(something, bytes(32), False, sender=governor)
    with boa.reverts("this measurement is not approved"):
        ledger.sessions.revoke_measurement(something, something, sender=governor)


def test_a_threshold_lies_between_1_and_16(ledger: Deployment) -> None:
    for threshold in (0, 17):
        with boa.reverts("between 1 and 16 keepers must vote for a session"):
            ledger.compiled["sessions"].deploy(ledger.organizations, ledger.governor.address, threshold)


def test_sixteen_keepers_can_vote(compiled: dict[str, Any]) -> None:
    keepers = [Key(f"keeper {i}") for i in range(16)]
    with boa.env.anchor():
        ledger = Deployment(compiled, threshold=16, keepers=keepers)
        vote = ledger.vote()
        ledger.register_session(vote, ledger.votes(vote, keepers))
        assert vouches(ledger)
        assert ledger.organizations.standing_until(keepers[0].address) == FOREVER
