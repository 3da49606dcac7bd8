"""Step 10: the last look before anything leaves the enclave."""

import pytest

from keeper.world import EnclaveSession, World, fresh_hash
from nebula.database import reading
from nebula.keeper import log
from nebula.keeper.budgets import spent_budgets
from nebula.keeper.confirm import confirm
from nebula.keeper.consent import read_decisions
from nebula.protocol.duo import Permission
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import ConfirmAnswer, ConfirmRequest, DecisionsRequest


def ask(world: World, session: EnclaveSession, *records: str) -> ConfirmAnswer:
    request = ConfirmRequest(study=study_id(session.study), run=session.run, records=records)
    return confirm(world.keeper, request, session.address)


def test_a_withdrawn_record_is_left_out_of_a_run_in_progress(world: World) -> None:
    stays, leaves = world.owner(), world.owner()
    session = world.session(world.study())
    world.release(session, stays.record, leaves.record)
    assert ask(world, session, stays.record, leaves.record).refused == ()
    world.ledger.withdraw(leaves.record)
    answer = ask(world, session, stays.record, leaves.record)
    assert answer.refused == (leaves.record,)
    assert answer.block_number == world.ledger.number


def test_a_policy_that_became_stricter_drops_the_record(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.release(session, owner.record)
    world.change_policy(owner, 2, permission=Permission.POA)
    assert ask(world, session, owner.record).refused == (owner.record,)


def test_what_was_not_released_to_this_run_is_not_confirmed(world: World) -> None:
    owner, study = world.owner(), world.study()
    session = world.session(study)
    assert ask(world, session, owner.record).refused == (owner.record,)
    other = world.session(study, run=fresh_hash())
    world.release(other, owner.record)
    assert ask(world, session, owner.record).refused == (owner.record,)


def test_what_was_not_released_pays_nothing_whatever_the_record_paid_before(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=20), world.study(privacy_micro_rho=7)
    world.release(world.session(study), owner.record)
    other = world.session(study, run=fresh_hash())
    assert ask(world, other, owner.record).refused == (owner.record,)
    with reading(world.engine) as connection:
        assert spent_budgets(connection) == {owner.record: 7}


def test_confirming_spends_nothing_and_a_refusal_is_noted_once(world: World) -> None:
    owner, session = world.owner(privacy_budget_micro_rho=7), world.session(world.study(privacy_micro_rho=7))
    world.release(session, owner.record)
    assert ask(world, session, owner.record).refused == ()
    world.ledger.withdraw(owner.record)
    for _ in range(3):
        ask(world, session, owner.record)
    with reading(world.engine) as connection:
        assert spent_budgets(connection) == {owner.record: 7}
        assert log.verify_log(connection) == 2
    told = read_decisions(world.keeper, DecisionsRequest(), owner.record).decisions
    assert [(item.released, item.reasons) for item in told] == [(True, ()), (False, ("the record was withdrawn",))]


def test_without_a_study_in_good_order_nothing_is_confirmed(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.release(session, owner.record)
    del world.ledger.buyers[world.buyer.address]
    with pytest.raises(NotPermittedError):
        ask(world, session, owner.record)


def test_only_the_session_itself_may_ask(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.release(session, owner.record)
    request = ConfirmRequest(study=study_id(session.study), run=session.run, records=(owner.record,))
    with pytest.raises(NotPermittedError, match="appraised no session"):
        confirm(world.keeper, request, world.hub.address)


def test_a_second_session_of_a_run_draws_its_own_noise_and_pays_for_it(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=20), world.study(privacy_micro_rho=7)
    for spent in (7, 14):
        session = world.session(study)
        world.release(session, owner.record)
        for _ in range(2):
            assert ask(world, session, owner.record).refused == ()
        with reading(world.engine) as connection:
            assert spent_budgets(connection) == {owner.record: spent}
            log.verify_log(connection)


def test_a_run_that_is_repeated_to_average_the_noise_away_ends_with_the_budget(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=20), world.study(privacy_micro_rho=7)
    refused = []
    for _ in range(4):
        session = world.session(study)
        world.release(session, owner.record)
        refused.append(ask(world, session, owner.record).refused)
    assert refused == [(), (), (owner.record,), (owner.record,)]
    with reading(world.engine) as connection:
        assert spent_budgets(connection) == {owner.record: 14}
    told = read_decisions(world.keeper, DecisionsRequest(), owner.record).decisions
    assert "budget" in told[-1].reasons[0]


def test_a_session_that_died_before_it_confirmed_costs_nothing_more(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=7), world.study(privacy_micro_rho=7)
    died, next_one = world.session(study), world.session(study)
    for session in (died, next_one):
        world.release(session, owner.record)
    assert ask(world, next_one, owner.record).refused == ()
    assert ask(world, next_one, owner.record).refused == ()


def test_exact_results_are_repeated_without_a_budget(world: World) -> None:
    owner, study = world.owner(privacy_budget_micro_rho=0), world.study()
    for _ in range(3):
        session = world.session(study)
        world.release(session, owner.record)
        assert ask(world, session, owner.record).refused == ()
