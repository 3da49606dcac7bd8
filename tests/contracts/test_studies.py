"""A study's money: locked, split once by a receipt, or given back."""

from typing import Any

import boa
import pytest

from contracts.deployment import (
    BUYER,
    FUNDED,
    NO_SIGNATURE,
    OPERATOR,
    REFUNDED,
    SETTLED,
    TOKEN,
    UNKNOWN,
    Deployment,
    Key,
    as_bytes,
    as_tuple,
    hexed,
    payouts_for,
)
from nebula.protocol import typed_data
from nebula.protocol.signing import ORDER
from nebula.protocol.typed_data import Funding


@pytest.fixture
def funding(ledger: Deployment) -> Funding:
    return ledger.funding()


def balance(ledger: Deployment, key: Key) -> int:
    return int(ledger.token.balanceOf(key.address))


def state(ledger: Deployment, study: str) -> int:
    return int(ledger.studies.state_of(as_bytes(study)))


def escrow(ledger: Deployment, study: str) -> int:
    return int(ledger.studies.escrow_of(as_bytes(study)))


# Funding


def test_a_funded_study_holds_what_it_can_cost_at_most(ledger: Deployment, funding: Funding) -> None:
    before = balance(ledger, ledger.buyer)
    study = ledger.fund(funding)

    assert state(ledger, study) == FUNDED
    assert escrow(ledger, study) == funding.escrow_wei == 25 * TOKEN
    assert balance(ledger, ledger.buyer) == before - funding.escrow_wei
    assert ledger.token.balanceOf(ledger.studies) == funding.escrow_wei


def test_a_studys_id_is_the_digest_of_its_funding(ledger: Deployment, funding: Funding) -> None:
    assert ledger.studies.study_id(as_tuple(funding)) == as_bytes(funding.study)
    assert ledger.fund(funding) == funding.study


def test_nobody_takes_anothers_study_id(ledger: Deployment, funding: Funding) -> None:
    rival = Key("rival")
    ledger.register(rival, BUYER)
    with boa.reverts("only the buyer may fund the buyer's study"):
        ledger.studies.fund(as_tuple(funding), sender=rival.address)
    assert ledger.funding(buyer=rival.address).study != funding.study


def test_a_study_is_funded_once_whatever_became_of_it(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    with boa.reverts("this study was funded before"):
        ledger.fund(funding)
    ledger.vouch(study)
    ledger.settle(funding, ledger.receipt(study, payouts_for(1, funding.price_wei, study)))
    with boa.reverts("this study was funded before"):
        ledger.fund(funding)


@pytest.mark.parametrize(
    ("party", "sentence"),
    [("buyer", "the buyer is not in good standing"), ("operator", "the operator is not in good standing")],
)
def test_a_suspended_party_opens_no_study(ledger: Deployment, funding: Funding, party: str, sentence: str) -> None:
    ledger.organizations.suspend(getattr(ledger, party).address, sender=ledger.governor.address)
    with boa.reverts(sentence):
        ledger.fund(funding)


def test_a_buyer_suspended_later_still_pays(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    ledger.organizations.suspend(ledger.buyer.address, sender=ledger.governor.address)

    ledger.settle(funding, ledger.receipt(study, payouts_for(1, funding.price_wei, study)))
    assert state(ledger, study) == SETTLED


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"price_wei": 0}, "a study pays for at least one record"),
        ({"max_records": 0}, "a study pays for at least one record"),
        ({"deadline": 0}, "the deadline has passed"),
        ({"price_wei": 2**94 // 10}, "the escrow is larger than a study can hold"),
        ({"fee_wei": 2**94}, "the escrow is larger than a study can hold"),
        ({"price_wei": 10**6 * TOKEN}, "the sender has too few tokens"),
    ],
)
def test_a_study_that_cannot_be_paid_is_not_opened(ledger: Deployment, changes: dict[str, Any], sentence: str) -> None:
    with boa.reverts(sentence):
        ledger.fund(ledger.funding(**changes))


def test_an_escrow_that_overflows_is_refused(ledger: Deployment) -> None:
    with boa.reverts():
        ledger.fund(ledger.funding(price_wei=2**255))


def test_a_permit_replaces_the_allowance_even_if_somebody_brought_it_in_first(
    ledger: Deployment, funding: Funding
) -> None:
    ledger.token.approve(ledger.studies, 0, sender=ledger.buyer.address)
    studies = str(ledger.studies.address).lower()
    message = typed_data.permit_digest(
        ledger.domain(ledger.token),
        ledger.buyer.address,
        studies,
        amount_wei=funding.escrow_wei,
        nonce=0,
        deadline=ledger.now + 9,
    )
    vrs = ledger.buyer.vrs(message)
    fund = as_tuple(funding), ledger.now + 9, *vrs

    with boa.env.anchor():
        ledger.studies.fund_with_permit(*fund, sender=ledger.buyer.address)
        assert state(ledger, funding.study) == FUNDED
    ledger.token.permit(ledger.buyer.address, studies, funding.escrow_wei, ledger.now + 9, *vrs)
    ledger.studies.fund_with_permit(*fund, sender=ledger.buyer.address)
    assert state(ledger, funding.study) == FUNDED


def test_a_false_permit_funds_nothing(ledger: Deployment, funding: Funding) -> None:
    ledger.token.approve(ledger.studies, 0, sender=ledger.buyer.address)
    with boa.reverts("the owner allowed less than this"):
        ledger.studies.fund_with_permit(
            as_tuple(funding), ledger.now + 9, 27, bytes(32), bytes(32), sender=ledger.buyer.address
        )


# Settlement


def test_a_receipt_splits_the_escrow_without_a_rest(ledger: Deployment, funding: Funding) -> None:
    before = balance(ledger, ledger.buyer)
    study = ledger.fund(funding)
    ledger.vouch(study)
    receipt = ledger.receipt(study, payouts_for(4, funding.price_wei, study))

    ledger.settle(funding, receipt)
    (settled,) = [event for event in ledger.studies.get_logs() if type(event).__name__ == "Settled"]

    assert state(ledger, study) == SETTLED
    assert escrow(ledger, study) == 8 * TOKEN == ledger.token.balanceOf(ledger.studies)
    assert balance(ledger, ledger.operator) == 5 * TOKEN
    assert balance(ledger, ledger.buyer) == before - 13 * TOKEN
    assert ledger.studies.payout_root_of(as_bytes(study)) == as_bytes(receipt.payout_root)[-20:]
    assert settled.receipt == typed_data.receipt_digest(ledger.domain(ledger.studies), receipt)
    assert (settled.owners_wei, settled.fee_wei, settled.refund_wei) == (8 * TOKEN, 5 * TOKEN, 12 * TOKEN)


def test_a_study_without_fee_and_without_rest_settles(ledger: Deployment) -> None:
    funding = ledger.funding(fee_wei=0, max_records=3)
    study = ledger.fund(funding)
    ledger.vouch(study)
    ledger.settle(funding, ledger.receipt(study, payouts_for(3, funding.price_wei, study)))
    assert escrow(ledger, study) == 6 * TOKEN


def test_a_study_is_settled_once(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    receipt = ledger.receipt(study, payouts_for(1, funding.price_wei, study))
    ledger.settle(funding, receipt)
    with boa.reverts("this study has no open escrow"):
        ledger.settle(funding, receipt)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"study": hexed("another")}, "the receipt is for another study"),
        ({"measurement": hexed("another")}, "the receipt is by other code than the buyer agreed to"),
        ({"record_count": 0, "amount_wei": "0"}, "a receipt over no records settles nothing"),
        (
            {"record_count": 11, "amount_wei": str(22 * TOKEN)},
            "the receipt counts more records than were paid for",
        ),
        ({"amount_wei": str(3 * TOKEN)}, "the receipt's amount is not its records times the price"),
        ({"run": hexed("another")}, "the keepers do not vouch for this session"),
        ({"trust_root": hexed("another")}, "the keepers do not vouch for this session"),
        ({"simulated": False}, "the keepers do not vouch for this session"),
    ],
)
def test_a_receipt_that_does_not_fit_settles_nothing(
    ledger: Deployment, funding: Funding, changes: dict[str, Any], sentence: str
) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    with boa.reverts(sentence):
        ledger.settle(funding, ledger.receipt(study, payouts_for(1, funding.price_wei, study), **changes))


def test_a_funding_that_was_not_made_cannot_be_settled(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    cheaper = ledger.funding(price_wei=1)
    with boa.reverts("this study has no open escrow"):
        ledger.settle(cheaper, ledger.receipt(study, payouts_for(1, 1, study)))


def test_only_the_session_itself_signs_its_receipt(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    receipt = ledger.receipt(study, payouts_for(1, funding.price_wei, study))
    good = ledger.sign_receipt(receipt)
    mirrored = good[:32] + (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([55 - good[64]])
    elsewhere = typed_data.Domain(ledger.domain(ledger.studies).chain_id + 1, ledger.domain(ledger.studies).contract)
    for bad in (
        ledger.sign_receipt(receipt, ledger.operator),
        ledger.session.sign(typed_data.receipt_digest(elsewhere, receipt)),
        mirrored,
        NO_SIGNATURE,
        good[:64] + b"\x00",
        b"",
    ):
        with boa.reverts("the session did not sign this receipt"):
            ledger.settle(funding, receipt, bad)


def test_a_zero_session_with_a_signature_of_nobody_is_refused(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    receipt = ledger.receipt(study, payouts_for(1, funding.price_wei, study), session="0x" + "00" * 20)
    with boa.reverts("the session did not sign this receipt"):
        ledger.settle(funding, receipt, NO_SIGNATURE)


def test_a_session_for_which_no_keeper_vouches_settles_nothing(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    with boa.reverts("the keepers do not vouch for this session"):
        ledger.settle(funding, ledger.receipt(study, payouts_for(1, funding.price_wei, study)))


def test_a_session_for_one_study_settles_no_other(ledger: Deployment, funding: Funding) -> None:
    ledger.vouch(ledger.fund(funding))
    other = ledger.funding(terms_digest=hexed("other terms"))
    study = ledger.fund(other)
    with boa.reverts("the keepers do not vouch for this session"):
        ledger.settle(other, ledger.receipt(study, payouts_for(1, other.price_wei, study)))


def test_code_whose_approval_was_revoked_settles_nothing(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    ledger.sessions.revoke_measurement(
        as_bytes(ledger.measurement), as_bytes(ledger.trust_root), sender=ledger.governor.address
    )
    with boa.reverts("the keepers do not vouch for this session"):
        ledger.settle(funding, ledger.receipt(study, payouts_for(1, funding.price_wei, study)))


# The deadline: until it, a receipt; after it, the refund; never both


def test_settlement_ends_where_the_refund_begins(ledger: Deployment, funding: Funding) -> None:
    before = balance(ledger, ledger.buyer)
    study = ledger.fund(funding)
    ledger.vouch(study)
    receipt = ledger.receipt(study, payouts_for(1, funding.price_wei, study))

    boa.env.time_travel(seconds=funding.deadline - ledger.now)
    with boa.reverts("the study's deadline has not passed"):
        ledger.studies.refund(as_tuple(funding))
    with boa.env.anchor():
        ledger.settle(funding, receipt)

    boa.env.time_travel(seconds=1)
    with boa.reverts("the study's deadline has passed"):
        ledger.settle(funding, receipt)
    ledger.studies.refund(as_tuple(funding), sender=ledger.stranger.address)

    assert state(ledger, study) == REFUNDED
    assert balance(ledger, ledger.buyer) == before
    assert ledger.token.balanceOf(ledger.studies) == 0
    with boa.reverts("this study has no open escrow"):
        ledger.studies.refund(as_tuple(funding))


def test_a_settled_study_is_never_refunded(ledger: Deployment, funding: Funding) -> None:
    study = ledger.fund(funding)
    ledger.vouch(study)
    ledger.settle(funding, ledger.receipt(study, payouts_for(1, funding.price_wei, study)))
    boa.env.time_travel(seconds=100_000)
    with boa.reverts("this study has no open escrow"):
        ledger.studies.refund(as_tuple(funding))


def test_what_was_never_funded_is_never_refunded(ledger: Deployment, funding: Funding) -> None:
    boa.env.time_travel(seconds=100_000)
    with boa.reverts("this study has no open escrow"):
        ledger.studies.refund(as_tuple(funding))
    assert state(ledger, funding.study) == UNKNOWN


def test_an_operator_is_named_by_the_buyer_and_may_be_any_in_good_standing(ledger: Deployment) -> None:
    second = Key("second operator")
    with boa.reverts("the operator is not in good standing"):
        ledger.fund(ledger.funding(operator=second.address))
    ledger.register(second, OPERATOR)
    assert state(ledger, ledger.fund(ledger.funding(operator=second.address))) == FUNDED
