"""The token: minted once per payment, moved only by its holder's word."""

from collections.abc import Callable
from typing import Any

import boa
import pytest

from contracts.deployment import TOKEN, ZERO, Deployment, Key, digest
from nebula.protocol import typed_data
from nebula.protocol.signing import ORDER
from nebula.protocol.typed_data import Authorization

ALICE, BOB = Key("alice"), Key("bob")
FIRST_NONCE = digest("nonce")

# A wallet that is a contract: it says yes to one digest, whatever the signature.
WALLET = """
# pragma version 0.4.3
accepted: public(bytes32)

@deploy
def __init__(digest: bytes32):
    self.accepted = digest

@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[65]) -> bytes4:
    return 0x1626ba7e if digest == self.accepted else 0xffffffff
"""


@pytest.fixture
def rich(ledger: Deployment) -> Deployment:
    ledger.mint(ALICE, 100 * TOKEN)
    return ledger


def authorization(ledger: Deployment, **changes: Any) -> Authorization:
    usual: dict[str, Any] = {
        "owner": ALICE.address,
        "receiver": BOB.address,
        "amount_wei": 3 * TOKEN,
        "valid_after": ledger.now - 1,
        "valid_before": ledger.now + 1000,
        "nonce": FIRST_NONCE,
    }
    return Authorization(**(usual | changes))


def arguments(authorized: Authorization) -> tuple[Any, ...]:
    return (
        authorized.owner,
        authorized.receiver,
        authorized.amount_wei,
        authorized.valid_after,
        authorized.valid_before,
        authorized.nonce,
    )


def test_the_supply_is_what_was_minted_less_what_was_burned(rich: Deployment) -> None:
    before = rich.token.totalSupply()
    rich.mint(rich.desk, 7 * TOKEN)
    rich.token.burn(2 * TOKEN, digest("redemption"), sender=rich.desk.address)

    assert rich.token.totalSupply() == before + 5 * TOKEN
    assert rich.token.balanceOf(rich.desk.address) == 5 * TOKEN


def test_one_payment_is_minted_against_once(rich: Deployment) -> None:
    rich.mint(ALICE, 1, payment="card 1")
    with boa.reverts("tokens were already minted against this payment"):
        rich.mint(BOB, 1, payment="card 1")
    assert rich.token.minted_against(digest("card 1"))


def test_only_a_desk_in_good_standing_mints_and_burns(rich: Deployment) -> None:
    rich.organizations.suspend(rich.desk.address, sender=rich.governor.address)
    for someone in (rich.desk, rich.buyer, rich.governor):
        with boa.reverts("only a desk in good standing may do this"):
            rich.token.mint(ALICE.address, 1, digest("payment x"), sender=someone.address)
        with boa.reverts("only a desk in good standing may do this"):
            rich.token.burn(1, digest("redemption"), sender=someone.address)


def test_a_desk_burns_only_its_own(rich: Deployment) -> None:
    with boa.reverts("the desk has too few tokens"):
        rich.token.burn(1, digest("redemption"), sender=rich.desk.address)


def test_nothing_is_minted_to_nobody_for_nothing_or_without_a_payment(rich: Deployment) -> None:
    desk = rich.desk.address
    with boa.reverts("tokens are not minted to the zero address"):
        rich.token.mint(ZERO, 1, digest("p"), sender=desk)
    with boa.reverts("nothing to mint"):
        rich.token.mint(ALICE.address, 0, digest("p"), sender=desk)
    with boa.reverts("a mint names the payment it stands against"):
        rich.token.mint(ALICE.address, 1, bytes(32), sender=desk)
    with boa.reverts("nothing to burn"):
        rich.token.burn(0, digest("r"), sender=desk)


def test_nobody_sends_more_than_they_have_or_to_nobody(rich: Deployment) -> None:
    with boa.reverts("the sender has too few tokens"):
        rich.token.transfer(BOB.address, 100 * TOKEN + 1, sender=ALICE.address)
    with boa.reverts("tokens are not sent to the zero address"):
        rich.token.transfer(ZERO, 1, sender=ALICE.address)


def test_sending_to_oneself_changes_nothing(rich: Deployment) -> None:
    rich.token.transfer(ALICE.address, 60 * TOKEN, sender=ALICE.address)
    assert rich.token.balanceOf(ALICE.address) == 100 * TOKEN


def test_a_spender_takes_no_more_than_allowed(rich: Deployment) -> None:
    rich.token.approve(BOB.address, 5, sender=ALICE.address)
    rich.token.transferFrom(ALICE.address, BOB.address, 3, sender=BOB.address)

    assert rich.token.allowance(ALICE.address, BOB.address) == 2
    with boa.reverts("the owner allowed less than this"):
        rich.token.transferFrom(ALICE.address, BOB.address, 3, sender=BOB.address)
    with boa.reverts("the zero address cannot spend"):
        rich.token.approve(ZERO, 5, sender=ALICE.address)


def test_an_endless_allowance_stays_endless(rich: Deployment) -> None:
    rich.token.approve(BOB.address, 2**256 - 1, sender=ALICE.address)
    rich.token.transferFrom(ALICE.address, BOB.address, 3, sender=BOB.address)
    assert rich.token.allowance(ALICE.address, BOB.address) == 2**256 - 1


def test_the_contract_and_python_agree_on_the_domain(rich: Deployment) -> None:
    assert rich.token.DOMAIN_SEPARATOR() == rich.domain(rich.token).separator


def permit(ledger: Deployment, nonce: int = 0, deadline: int | None = None) -> tuple[tuple[Any, ...], bytes]:
    until = ledger.now + 10 if deadline is None else deadline
    message = typed_data.permit_digest(
        ledger.domain(ledger.token), ALICE.address, BOB.address, amount_wei=9, nonce=nonce, deadline=until
    )
    return (ALICE.address, BOB.address, 9, until), message


def test_a_permit_allows_once(rich: Deployment) -> None:
    fields, message = permit(rich)
    rich.token.permit(*fields, *ALICE.vrs(message), sender=rich.stranger.address)

    assert rich.token.allowance(ALICE.address, BOB.address) == 9
    assert rich.token.nonces(ALICE.address) == 1
    with boa.reverts("the owner did not sign this"):
        rich.token.permit(*fields, *ALICE.vrs(message))


def test_a_permit_by_somebody_else_or_past_its_deadline_is_refused(rich: Deployment) -> None:
    fields, message = permit(rich)
    with boa.reverts("the owner did not sign this"):
        rich.token.permit(*fields, *BOB.vrs(message))
    fields, message = permit(rich, deadline=rich.now - 1)
    with boa.reverts("the permit has expired"):
        rich.token.permit(*fields, *ALICE.vrs(message))


def test_the_zero_address_permits_nothing_though_recovery_of_garbage_gives_zero(rich: Deployment) -> None:
    for v in (0, 27, 28):
        with boa.reverts("the owner did not sign this"):
            rich.token.permit(ZERO, BOB.address, 9, rich.now + 10, v, bytes(32), bytes(32))


def high_s(v: int, r: bytes, s: bytes) -> tuple[int, bytes, bytes]:
    return 55 - v, r, (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")


def small_v(v: int, r: bytes, s: bytes) -> tuple[int, bytes, bytes]:
    return v - 27, r, s


@pytest.mark.parametrize("twist", [high_s, small_v])
def test_a_signature_has_one_form_only(
    rich: Deployment, twist: Callable[[int, bytes, bytes], tuple[int, bytes, bytes]]
) -> None:
    fields, message = permit(rich)
    with boa.reverts("the owner did not sign this"):
        rich.token.permit(*fields, *twist(*ALICE.vrs(message)))


def test_a_permit_for_another_chain_or_contract_is_worthless_here(rich: Deployment) -> None:
    until = rich.now + 10
    here = rich.domain(rich.token)
    elsewhere = (
        typed_data.Domain(here.chain_id + 1, here.contract),
        typed_data.Domain(here.chain_id, BOB.address),
    )
    for domain in elsewhere:
        message = typed_data.permit_digest(domain, ALICE.address, BOB.address, amount_wei=9, nonce=0, deadline=until)
        with boa.reverts("the owner did not sign this"):
            rich.token.permit(ALICE.address, BOB.address, 9, until, *ALICE.vrs(message))


def test_a_wallet_that_is_a_contract_may_permit(rich: Deployment) -> None:
    wallet = boa.loads(WALLET, bytes(32))
    until = rich.now + 10
    message = typed_data.permit_digest(
        rich.domain(rich.token), str(wallet.address).lower(), BOB.address, amount_wei=9, nonce=0, deadline=until
    )
    with boa.reverts("the owner did not sign this"):
        rich.token.permit(wallet.address, BOB.address, 9, until, *BOB.vrs(message))

    wallet.eval(f"self.accepted = 0x{message.hex()}")
    rich.token.permit(wallet.address, BOB.address, 9, until, *BOB.vrs(message))
    assert rich.token.allowance(wallet.address, BOB.address) == 9


def test_an_authorization_moves_tokens_once_whoever_brings_it(rich: Deployment) -> None:
    authorized = authorization(rich)
    signature = ALICE.vrs(typed_data.transfer_digest(rich.domain(rich.token), authorized))
    rich.token.transferWithAuthorization(*arguments(authorized), *signature, sender=rich.stranger.address)

    assert rich.token.balanceOf(BOB.address) == 3 * TOKEN
    assert rich.token.authorizationState(ALICE.address, FIRST_NONCE)
    with boa.reverts("this authorization was already used or canceled"):
        rich.token.transferWithAuthorization(*arguments(authorized), *signature)


def test_an_authorization_is_valid_strictly_between_its_times(rich: Deployment) -> None:
    for times, sentence in (
        ({"valid_after": rich.now}, "the authorization is not valid yet"),
        ({"valid_before": rich.now}, "the authorization has expired"),
    ):
        authorized = authorization(rich, **times)
        signature = ALICE.vrs(typed_data.transfer_digest(rich.domain(rich.token), authorized))
        with boa.reverts(sentence):
            rich.token.transferWithAuthorization(*arguments(authorized), *signature)


@pytest.mark.parametrize("change", ["receiver", "amount_wei", "valid_before", "nonce"])
def test_an_authorization_changed_in_any_field_is_refused(rich: Deployment, change: str) -> None:
    signed = authorization(rich)
    signature = ALICE.vrs(typed_data.transfer_digest(rich.domain(rich.token), signed))
    other = {
        "receiver": rich.stranger.address,
        "amount_wei": 4 * TOKEN,
        "valid_before": signed.valid_before + 1,
        "nonce": digest("another nonce"),
    }
    with boa.reverts("the owner did not sign this"):
        rich.token.transferWithAuthorization(*arguments(authorization(rich, **{change: other[change]})), *signature)


def test_only_the_receiver_brings_a_receive_authorization(rich: Deployment) -> None:
    authorized = authorization(rich)
    signature = ALICE.vrs(typed_data.receive_digest(rich.domain(rich.token), authorized))
    with boa.reverts("only the receiver may use this authorization"):
        rich.token.receiveWithAuthorization(*arguments(authorized), *signature, sender=rich.stranger.address)
    with boa.reverts("the owner did not sign this"):
        rich.token.transferWithAuthorization(*arguments(authorized), *signature)

    rich.token.receiveWithAuthorization(*arguments(authorized), *signature, sender=BOB.address)
    assert rich.token.balanceOf(BOB.address) == 3 * TOKEN


def test_a_canceled_authorization_is_never_used(rich: Deployment) -> None:
    cancel = typed_data.cancel_digest(rich.domain(rich.token), ALICE.address, FIRST_NONCE)
    with boa.reverts("the owner did not sign this"):
        rich.token.cancelAuthorization(ALICE.address, FIRST_NONCE, *BOB.vrs(cancel))
    rich.token.cancelAuthorization(ALICE.address, FIRST_NONCE, *ALICE.vrs(cancel))

    authorized = authorization(rich)
    signature = ALICE.vrs(typed_data.transfer_digest(rich.domain(rich.token), authorized))
    with boa.reverts("this authorization was already used or canceled"):
        rich.token.transferWithAuthorization(*arguments(authorized), *signature)
    with boa.reverts("this authorization was already used or canceled"):
        rich.token.cancelAuthorization(ALICE.address, FIRST_NONCE, *ALICE.vrs(cancel))
