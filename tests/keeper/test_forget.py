"""Shares of withdrawn records are deleted; nothing that is still needed ever is."""

from sqlalchemy import select

from keeper.world import Owner, World, fresh_hash
from nebula.database import reading
from nebula.keeper.budgets import spent_budgets
from nebula.keeper.forget import forget
from nebula.keeper.tables import approvals, enrolments, policies
from nebula.protocol.duo import Permission


def held(world: World) -> set[str]:
    with reading(world.engine) as connection:
        return set(connection.scalars(select(enrolments.c.record)))


def waiting(world: World) -> list[int]:
    with reading(world.engine) as connection:
        return list(connection.scalars(select(policies.c.version).order_by(policies.c.version)))


def test_a_withdrawn_records_shares_policies_and_approvals_go(world: World) -> None:
    leaves, stays = world.owner(), world.owner()
    world.approve(leaves, world.study())
    world.ledger.withdraw(leaves.record)
    assert forget(world.keeper, at=world.at) == 1
    assert held(world) == {stays.record}
    assert waiting(world) == [1]
    with reading(world.engine) as connection:
        assert connection.scalars(select(approvals.c.record)).all() == []
    assert forget(world.keeper, at=world.at) == 0


def test_what_never_stood_on_the_ledger_is_not_withdrawn(world: World) -> None:
    pending = world.stranger()
    world.enrol(pending)
    forget(world.keeper, at=world.at)
    assert held(world) == {pending.record}


def test_a_withdrawal_deletes_only_when_it_is_deep_enough(deep_world: World) -> None:
    world = deep_world
    owner = world.owner()
    world.ledger.mine(5)
    world.ledger.withdraw(owner.record)
    assert forget(world.keeper, at=world.at) == 0
    world.ledger.mine(3)
    assert forget(world.keeper, at=world.at) == 1


def test_an_owner_who_is_coming_back_keeps_their_new_shares(world: World) -> None:
    owner = world.owner()
    world.ledger.withdraw(owner.record)
    again = Owner(owner.key, owner.policy, owner.manifest_commitment, owner.bundle, owner.enrolment)
    again.enrolment = world.enrolment(owner.key, owner.policy, owner.bundle, version=3)
    assert world.enrol(again).refused == ()
    assert forget(world.keeper, at=world.at) == 0
    world.ledger.put(owner.record, again.commitment, 3)
    assert world.release(world.session(world.study()), owner.record).refused == ()


def test_superseded_policies_go_and_the_current_and_the_next_stay(world: World) -> None:
    owner = world.owner()
    world.change_policy(owner, 2, permission=Permission.HMB)
    world.send_policy(owner, 3, permission=Permission.NRES)
    forget(world.keeper, at=world.at)
    assert (waiting(world), held(world)) == ([2, 3], {owner.record})


def test_what_was_spent_is_never_forgotten(world: World) -> None:
    owner = world.owner(privacy_budget_micro_rho=10)
    world.release(world.session(world.study(privacy_micro_rho=10)), owner.record)
    world.ledger.withdraw(owner.record)
    forget(world.keeper, at=world.at)
    with reading(world.engine) as connection:
        assert spent_budgets(connection) == {owner.record: 10}
    owner.enrolment = world.enrolment(owner.key, owner.policy, owner.bundle, version=3)
    world.enrol(owner)
    world.ledger.put(owner.record, owner.commitment, 3)
    session = world.session(world.study(privacy_micro_rho=1), run=fresh_hash())
    assert world.release(session, owner.record).released == ()


def test_a_forgotten_record_is_still_called_withdrawn(world: World) -> None:
    owner, session = world.owner(), world.session(world.study())
    world.ledger.withdraw(owner.record)
    forget(world.keeper, at=world.at)
    assert world.release(session, owner.record).refused[0].reasons == ("withdrawn",)
