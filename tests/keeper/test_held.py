"""What an owner reads back with nothing but the record's control key."""

import pytest

from keeper.world import World
from nebula.keeper.forget import forget
from nebula.keeper.held import read_held
from nebula.protocol.duo import Permission
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import SigningKey


def test_an_owner_reads_back_where_the_record_is_and_under_which_policy(world: World) -> None:
    owner, _other = world.owner(), world.owner()
    held = read_held(world.keeper, owner.record)
    assert (held.version, held.policy, held.manifest_commitment) == (1, owner.policy, owner.manifest_commitment)
    assert held.manifest_location == owner.enrolment.manifest_location


def test_a_policy_that_waits_for_the_ledger_is_no_answer(world: World) -> None:
    owner = world.owner()
    before = owner.policy
    world.send_policy(owner, 2, permission=Permission.POA)
    assert read_held(world.keeper, owner.record).policy == before
    world.ledger.put(owner.record, owner.commitment, 2)
    assert read_held(world.keeper, owner.record).policy == owner.policy


@pytest.mark.parametrize("how", ["stranger", "withdrawn", "not registered"])
def test_nothing_is_told_of_a_record_that_is_not_live(world: World, how: str) -> None:
    owner = world.owner()
    record = SigningKey.generate().address if how == "stranger" else owner.record
    if how == "withdrawn":
        world.ledger.withdraw(owner.record)
        forget(world.keeper, at=world.at)
    if how == "not registered":
        waiting = world.stranger()
        world.enrol(waiting)
        record = waiting.record
    with pytest.raises(RejectedInputError, match="holds nothing"):
        read_held(world.keeper, record)
