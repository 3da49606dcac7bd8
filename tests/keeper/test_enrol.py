"""Step 2: what a keeper keeps, and what it refuses to keep."""

import secrets

import msgspec
import pytest

from keeper.world import Owner, World, fresh_hash
from nebula.keeper.enrol import MAX_WAITING
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.record import Dealing, KeyShare
from nebula.protocol.sealing import SealingKey
from nebula.protocol.signed_by_control_key import check_document, sign_document


def code(world: World, owner: Owner) -> str:
    answer = world.enrol(owner)
    assert answer.accepted == ()
    return answer.refused[0].error.code


def test_an_acceptance_is_signed_and_names_what_the_ledger_will_hold(world: World) -> None:
    owner = world.stranger()
    (acceptance,) = world.enrol(owner).accepted
    check_document(acceptance, world.keeper.address)
    assert acceptance.record_commitment == to_hex(owner.commitment)
    assert (acceptance.record, acceptance.version) == (owner.record, 1)


def test_enrolling_again_changes_nothing(world: World) -> None:
    owner = world.stranger()
    assert world.enrol(owner) == world.enrol(owner)


def test_one_bad_record_does_not_hold_up_the_others_of_its_page(world: World) -> None:
    good, bad = world.stranger(), world.stranger()
    bad.enrolment = msgspec.structs.replace(bad.enrolment, version=2)
    answer = world.enrol(bad, good)
    assert [item.record for item in answer.accepted] == [good.record]
    assert [(item.record, item.error.code) for item in answer.refused] == [(bad.record, "document.signature")]


def test_only_the_control_key_enrols_a_record(world: World) -> None:
    owner = world.stranger()
    owner.enrolment = sign_document(owner.enrolment, SigningKey.generate().secret)
    assert code(world, owner) == "document.signature"


def test_another_records_policy_is_refused(world: World) -> None:
    owner, other = world.stranger(), world.stranger()
    owner.enrolment = world.enrolment(owner.key, other.policy, owner.bundle)
    assert code(world, owner) == "enrol.policy"


def test_a_share_beyond_those_that_were_dealt_is_refused(world: World) -> None:
    owner = world.stranger()
    shares = tuple(msgspec.structs.replace(share, index=3) for share in owner.bundle.shares)
    bundle = msgspec.structs.replace(owner.bundle, shares=shares)
    owner.enrolment = world.enrolment(owner.key, owner.policy, bundle)
    assert code(world, owner) == "enrol.dealing"


def test_the_number_of_keepers_is_the_owners_signed_word(world: World) -> None:
    owner = world.stranger()
    fewer = Dealing(keepers=3, threshold=3)
    owner.enrolment = msgspec.structs.replace(owner.enrolment, dealing=fewer)
    assert code(world, owner) == "document.signature"
    owner.enrolment = sign_document(owner.enrolment, owner.key.secret)
    assert world.enrol(owner).refused == ()
    world.ledger.put(owner.record, owner.commitment, 1)
    owner.enrolment = sign_document(
        msgspec.structs.replace(owner.enrolment, dealing=Dealing(keepers=2, threshold=2)), owner.key.secret
    )
    assert code(world, owner) == "enrol.conflict"


def test_shares_sealed_to_another_keeper_are_refused(world: World) -> None:
    owner = world.stranger()
    world.keeper = world.restarted(sealing_key=SealingKey.generate())
    assert code(world, owner) == "sealing.not-opened"


def test_shares_moved_from_another_record_are_refused(world: World) -> None:
    owner, other = world.stranger(), world.stranger()
    moved = msgspec.structs.replace(owner.enrolment, sealed_shares=other.enrolment.sealed_shares)
    owner.enrolment = sign_document(moved, owner.key.secret)
    assert code(world, owner) == "sealing.not-opened"


def test_a_bundle_that_names_another_record_is_refused(world: World) -> None:
    owner, other = world.stranger(), world.stranger()
    lying = msgspec.structs.replace(other.bundle, manifest_commitment=owner.manifest_commitment)
    owner.enrolment = world.enrolment(owner.key, owner.policy, lying)
    assert code(world, owner) == "enrol.bundle"


@pytest.mark.parametrize("fault", ["no manifest", "part twice", "two indices"])
def test_a_bundle_has_one_share_per_part_of_one_index(world: World, fault: str) -> None:
    owner = world.stranger()
    shares = {
        "no manifest": owner.bundle.shares[1:],
        "part twice": (*owner.bundle.shares, owner.bundle.shares[1]),
        "two indices": (
            *owner.bundle.shares,
            KeyShare(part_id=fresh_hash(), kind="survey", index=2, value=secrets.token_bytes(32)),
        ),
    }[fault]
    bundle = msgspec.structs.replace(owner.bundle, shares=shares)
    owner.enrolment = world.enrolment(owner.key, owner.policy, bundle)
    assert code(world, owner) == "enrol.shares"


def test_a_vault_that_was_set_back_before_its_record_was_registered_enrols_again(world: World) -> None:
    owner = world.stranger()
    assert world.enrol(owner).refused == ()
    owner.enrolment = world.enrolment(owner.key, owner.policy, owner.bundle)  # split anew, under the same version
    assert world.enrol(owner).refused == ()

    world.ledger.put(owner.record, owner.commitment, 1)
    (released,) = world.release(world.session(world.study()), owner.record).released
    assert released.record == owner.record
    owner.enrolment = world.enrolment(owner.key, owner.policy, owner.bundle)
    assert code(world, owner) == "enrol.conflict"


def test_shares_once_registered_are_replaced_only_by_a_higher_version(world: World) -> None:
    owner = world.stranger(version=2)
    earlier = owner.enrolment
    assert world.enrol(owner).refused == ()
    world.ledger.put(owner.record, owner.commitment, 2)
    owner.enrolment = world.enrolment(owner.key, owner.policy, owner.bundle, version=2)
    assert code(world, owner) == "enrol.conflict"
    owner.enrolment = world.enrolment(owner.key, owner.policy, owner.bundle, version=3)
    assert world.enrol(owner).refused == ()
    owner.enrolment = earlier
    assert code(world, owner) == "enrol.conflict"


def test_a_record_cannot_fill_the_keeper_with_waiting_policies(world: World) -> None:
    owner = world.stranger()
    world.enrol(owner)
    for version in range(2, MAX_WAITING + 1):
        assert world.send_policy(owner, version).refused == ()
    (refused,) = world.send_policy(owner, 99).refused
    assert refused.error.code == "policy.waiting"
