"""One slot per record, changed only by its control key, versions only growing."""

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.deployment import ZERO, Deployment, Key, digest
from nebula.protocol import typed_data
from nebula.protocol.signing import ORDER
from nebula.protocol.typed_data import Domain

OWNER, OTHER = Key("control key"), Key("another control key")
FIRST, SECOND = digest("first")[:26], digest("second")[:26]
UNSIGNED = "the record's control key did not sign this"


def signed_put(ledger: Deployment, commitment: bytes, version: int, key: Key = OWNER) -> bytes:
    return key.sign(
        typed_data.record_put_digest(ledger.domain(ledger.records), key.address, commitment, version=version)
    )


def put(ledger: Deployment, commitment: bytes, version: int, key: Key = OWNER) -> None:
    ledger.records.put(key.address, commitment, version, signed_put(ledger, commitment, version, key))


def signed_withdrawal(ledger: Deployment, version: int, key: Key = OWNER) -> bytes:
    return key.sign(typed_data.record_withdrawal_digest(ledger.domain(ledger.records), key.address, version=version))


def withdraw(ledger: Deployment, version: int, key: Key = OWNER) -> None:
    ledger.records.withdraw(key.address, version, signed_withdrawal(ledger, version, key))


def event_names(ledger: Deployment) -> list[str]:
    return [type(event).__name__ for event in ledger.records.get_logs()]


def test_the_slot_holds_commitment_and_version(ledger: Deployment) -> None:
    put(ledger, FIRST, 1)

    assert ledger.records.slot(OWNER.address) == int.from_bytes(FIRST, "big") << 48 | 1
    assert ledger.records.commitment_of(OWNER.address) == FIRST
    assert ledger.records.version_of(OWNER.address) == 1
    assert ledger.records.is_live(OWNER.address)


def test_a_record_is_registered_then_updated_then_withdrawn_then_registered_again(ledger: Deployment) -> None:
    seen = []
    for version, step in enumerate((put, put, None, put), start=1):
        if step is None:
            withdraw(ledger, version)
        else:
            step(ledger, FIRST, version)
        seen += event_names(ledger)
    assert seen == ["Registered", "Updated", "Withdrawn", "Registered"]
    assert ledger.records.version_of(OWNER.address) == 4


def test_a_withdrawn_record_has_no_commitment_and_keeps_counting(ledger: Deployment) -> None:
    put(ledger, FIRST, 1)
    withdraw(ledger, 2)

    assert ledger.records.slot(OWNER.address) == 2
    assert ledger.records.commitment_of(OWNER.address) == bytes(26)
    assert not ledger.records.is_live(OWNER.address)


def test_no_signed_message_can_be_used_twice(ledger: Deployment) -> None:
    first = signed_put(ledger, FIRST, 1)
    ledger.records.put(OWNER.address, FIRST, 1, first)
    with boa.reverts("the version must follow the record's own"):
        ledger.records.put(OWNER.address, FIRST, 1, first)

    withdraw(ledger, 2)
    with boa.reverts("the version must be beyond the record's own"):
        withdraw(ledger, 2)
    with boa.reverts("the version must follow the record's own"):
        ledger.records.put(OWNER.address, FIRST, 1, first)


def test_a_withdrawal_outruns_every_message_that_somebody_holds_back(ledger: Deployment) -> None:
    put(ledger, FIRST, 1)
    held_back = signed_put(ledger, SECOND, 2)
    last_word = signed_withdrawal(ledger, 3)

    # Whether or not the older update is brought in first, the withdrawal stands.
    with boa.env.anchor():
        ledger.records.put(OWNER.address, SECOND, 2, held_back)
        ledger.records.withdraw(OWNER.address, 3, last_word)
        assert not ledger.records.is_live(OWNER.address)
    ledger.records.withdraw(OWNER.address, 3, last_word)
    with boa.reverts("the version must follow the record's own"):
        ledger.records.put(OWNER.address, SECOND, 2, held_back)
    assert not ledger.records.is_live(OWNER.address)


def test_an_update_cannot_skip_versions(ledger: Deployment) -> None:
    with boa.reverts("the version must follow the record's own"):
        put(ledger, FIRST, 2)


def test_the_owner_can_act_alone(ledger: Deployment) -> None:
    ledger.records.put_mine(FIRST, sender=OWNER.address)
    ledger.records.put_mine(SECOND, sender=OWNER.address)
    assert ledger.records.commitment_of(OWNER.address) == SECOND

    ledger.records.withdraw_mine(3, sender=OWNER.address)
    assert not ledger.records.is_live(OWNER.address)
    with boa.reverts("the version must be beyond the record's own"):
        ledger.records.withdraw_mine(3, sender=OWNER.address)


def test_an_empty_commitment_is_never_put(ledger: Deployment) -> None:
    for attempt in (
        lambda: put(ledger, bytes(26), 1),
        lambda: ledger.records.put_mine(bytes(26), sender=OWNER.address),
    ):
        with boa.reverts("an empty commitment is a withdrawal"):
            attempt()


def test_nobody_changes_another_record(ledger: Deployment) -> None:
    forged = OTHER.sign(typed_data.record_put_digest(ledger.domain(ledger.records), OWNER.address, FIRST, version=1))
    with boa.reverts(UNSIGNED):
        ledger.records.put(OWNER.address, FIRST, 1, forged)
    with boa.reverts(UNSIGNED):
        ledger.records.put(OTHER.address, FIRST, 1, signed_put(ledger, FIRST, 1))
    with boa.reverts(UNSIGNED):
        ledger.records.withdraw(OWNER.address, 1, signed_withdrawal(ledger, 1, OTHER))


def test_the_zero_address_is_no_record(ledger: Deployment) -> None:
    for signature in (bytes(65), bytes(64) + b"\x1b", b""):
        with boa.reverts(UNSIGNED):
            ledger.records.put(ZERO, FIRST, 1, signature)
        with boa.reverts(UNSIGNED):
            ledger.records.withdraw(ZERO, 1, signature)


def test_a_put_is_no_withdrawal_and_the_other_way_round(ledger: Deployment) -> None:
    with boa.reverts(UNSIGNED):
        ledger.records.withdraw(OWNER.address, 1, signed_put(ledger, FIRST, 1))
    with boa.reverts(UNSIGNED):
        ledger.records.put(OWNER.address, FIRST, 1, signed_withdrawal(ledger, 1))


def test_a_signature_has_one_form_only(ledger: Deployment) -> None:
    good = signed_put(ledger, FIRST, 1)
    mirrored = good[:32] + (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([55 - good[64]])
    for bad in (mirrored, good[:64] + bytes([good[64] - 27]), good[:64], b"", bytes(65)):
        with boa.reverts(UNSIGNED):
            ledger.records.put(OWNER.address, FIRST, 1, bad)


def test_a_signature_for_another_chain_or_contract_is_worthless_here(ledger: Deployment) -> None:
    here = ledger.domain(ledger.records)
    for domain in (Domain(here.chain_id + 1, here.contract), ledger.domain(ledger.token)):
        signature = OWNER.sign(typed_data.record_put_digest(domain, OWNER.address, FIRST, version=1))
        with boa.reverts(UNSIGNED):
            ledger.records.put(OWNER.address, FIRST, 1, signature)


def test_one_bad_item_never_stops_a_batch(ledger: Deployment) -> None:
    keys = [Key(f"person {i}") for i in range(6)]
    put(ledger, FIRST, 1, keys[1])
    batch = [(key.address, FIRST, 1, signed_put(ledger, FIRST, 1, key)) for key in keys]
    batch[2] = (keys[2].address, SECOND, 1, batch[2][3])
    batch[3] = (keys[3].address, FIRST, 1, b"garbage")
    batch[4] = (ZERO, FIRST, 1, bytes(65))

    ledger.records.put_many(batch)

    assert event_names(ledger) == ["Registered", "Refused", "Refused", "Refused", "Refused", "Registered"]
    assert [ledger.records.is_live(key.address) for key in keys] == [True, True, False, False, False, True]
    assert ledger.records.slot(ZERO) == 0


def test_the_same_item_twice_in_a_batch_counts_once(ledger: Deployment) -> None:
    item = (OWNER.address, FIRST, 1, signed_put(ledger, FIRST, 1))
    ledger.records.put_many([item, item])
    assert event_names(ledger) == ["Registered", "Refused"]
    assert ledger.records.version_of(OWNER.address) == 1


def test_a_batch_may_move_one_record_several_steps(ledger: Deployment) -> None:
    batch = [(OWNER.address, FIRST, version, signed_put(ledger, FIRST, version)) for version in (1, 2, 3)]
    ledger.records.put_many(batch)
    assert ledger.records.version_of(OWNER.address) == 3


@pytest.mark.parametrize("first", [True, False])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commitment=st.binary(min_size=26, max_size=26).filter(any), version=st.integers(1, 2**48 - 1))
def test_no_version_and_no_commitment_spill_into_each_other(
    ledger: Deployment, first: bool, commitment: bytes, version: int
) -> None:
    with boa.env.anchor():
        if not first:
            put(ledger, commitment, 1)
            version = max(version, 2)
        withdraw(ledger, version)
        assert ledger.records.slot(OWNER.address) == version

        if version < 2**48 - 1:
            put(ledger, commitment, version + 1)
            assert ledger.records.commitment_of(OWNER.address) == commitment
            assert ledger.records.version_of(OWNER.address) == version + 1
