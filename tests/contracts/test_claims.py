"""Payouts: each once, to whom the one-time key says, out of the study's own escrow."""

from typing import Any

import boa
import pytest

from contracts.deployment import (
    NO_SIGNATURE,
    TOKEN,
    ZERO,
    Deployment,
    Key,
    as_bytes,
    hexed,
    owner_key,
    payouts_for,
)
from nebula.protocol import merkle, typed_data
from nebula.protocol.signing import keccak256

PRICE = 2 * TOKEN
WALLET = Key("wallet").address
FOREIGN = "this payout is not in the study's tree"


def escrow(ledger: Deployment, study: str) -> int:
    return int(ledger.studies.escrow_of(as_bytes(study)))


def balance(ledger: Deployment, address: str) -> int:
    return int(ledger.token.balanceOf(address))


@pytest.mark.parametrize("people", [1, 2, 127, 128])
def test_a_subtree_claim_pays_everyone_once(ledger: Deployment, people: int) -> None:
    study, payouts = ledger.settled(people)
    ledger.claim_subtree(study, payouts)

    assert all(balance(ledger, payout.address) == PRICE for payout in payouts)
    assert escrow(ledger, study) == 0 == balance(ledger, str(ledger.studies.address))
    with boa.reverts("every payout of this sub-tree was already claimed"):
        ledger.claim_subtree(study, payouts)


@pytest.mark.parametrize("people", [129, 300, 513])
def test_every_subtree_of_a_larger_study_is_paid(ledger: Deployment, people: int) -> None:
    study, payouts = ledger.settled(people)
    for subtree in reversed(range(-(-people // 128))):
        ledger.claim_subtree(study, payouts, subtree)

    assert all(balance(ledger, payout.address) == PRICE for payout in payouts)
    assert all(ledger.studies.is_claimed(as_bytes(study), index) for index in range(people))
    assert not ledger.studies.is_claimed(as_bytes(study), people)
    assert escrow(ledger, study) == 0


def test_a_subtree_claim_leaves_out_those_who_claimed_alone(ledger: Deployment) -> None:
    study, payouts = ledger.settled(200)
    for index in (0, 5, 127, 128, 199):
        ledger.claim(study, payouts, index, WALLET)
    for subtree in (0, 1):
        ledger.claim_subtree(study, payouts, subtree)

    assert balance(ledger, WALLET) == 5 * PRICE
    assert sum(balance(ledger, payout.address) for payout in payouts) == 195 * PRICE
    assert balance(ledger, payouts[127].address) == 0
    assert escrow(ledger, study) == 0
    with boa.reverts("this payout was already claimed"):
        ledger.claim(study, payouts, 3, WALLET)


def test_one_person_claims_alone_to_any_address_without_gas(ledger: Deployment) -> None:
    study, payouts = ledger.settled()
    ledger.claim(study, payouts, 2, WALLET)

    assert balance(ledger, WALLET) == PRICE
    assert escrow(ledger, study) == 3 * PRICE
    with boa.reverts("this payout was already claimed"):
        ledger.claim(study, payouts, 2, WALLET)


def test_the_one_time_key_may_claim_by_itself(ledger: Deployment) -> None:
    study, payouts = ledger.settled()
    proof = list(merkle.payout_tree(payouts).proof(1))
    with boa.reverts(FOREIGN):
        ledger.studies.claim_mine(as_bytes(study), 1, PRICE, proof, WALLET, sender=ledger.stranger.address)

    ledger.studies.claim_mine(as_bytes(study), 1, PRICE, proof, WALLET, sender=payouts[1].address)
    assert balance(ledger, WALLET) == PRICE


@pytest.mark.parametrize("people", [1, 128, 129, 1000])
def test_single_claims_work_at_both_ends_of_any_tree(ledger: Deployment, people: int) -> None:
    study, payouts = ledger.settled(people)
    for index in {0, people - 1}:
        ledger.claim(study, payouts, index, payouts[index].address)
        assert balance(ledger, payouts[index].address) == PRICE


def test_nobody_redirects_a_claim(ledger: Deployment) -> None:
    study, payouts = ledger.settled()
    with boa.reverts("the payout's one-time key did not sign this"):
        ledger.claim(study, payouts, 0, WALLET, redirected=ledger.stranger.address)
    for signature in (NO_SIGNATURE, b"", ledger.stranger.sign(bytes(32))):
        with boa.reverts("the payout's one-time key did not sign this"):
            ledger.claim(study, payouts, 0, WALLET, signature=signature)


def test_a_claim_signed_for_one_study_chain_or_index_serves_no_other(ledger: Deployment) -> None:
    study, payouts = ledger.settled()
    here, key = ledger.domain(ledger.studies), owner_key(study, 0)
    elsewhere = typed_data.Domain(here.chain_id + 1, here.contract)
    for digest in (
        typed_data.claim_digest(here, hexed("another study"), index=0, receiver=WALLET),
        typed_data.claim_digest(elsewhere, study, index=0, receiver=WALLET),
        typed_data.claim_digest(here, study, index=1, receiver=WALLET),
    ):
        with boa.reverts("the payout's one-time key did not sign this"):
            ledger.claim(study, payouts, 0, WALLET, signature=key.sign(digest))


def test_a_payout_of_one_study_is_not_paid_by_another(ledger: Deployment) -> None:
    rich, _ = ledger.settled(8)
    poor, payouts = ledger.settled(4, terms_digest=hexed("other terms"))
    proof = list(merkle.payout_tree(payouts).proof(0))
    with boa.reverts(FOREIGN):
        ledger.studies.claim_mine(as_bytes(rich), 0, PRICE, proof, WALLET, sender=payouts[0].address)
    with boa.reverts("these payouts are not in the study's tree"):
        ledger.claim_subtree(rich, payouts)
    ledger.claim_subtree(poor, payouts)


def test_a_claim_for_more_is_refused(ledger: Deployment) -> None:
    study, payouts = ledger.settled()
    with boa.reverts(FOREIGN):
        ledger.claim(study, payouts, 0, WALLET, amount=PRICE + 1)


def test_a_changed_longer_or_shorter_proof_is_refused(ledger: Deployment) -> None:
    study, payouts = ledger.settled(200)
    proof = list(merkle.payout_tree(payouts).proof(150))
    flipped = [*proof[:3], keccak256(proof[3]), *proof[4:]]
    for bad in (flipped, proof[:-1], [*proof, bytes(32)], [], proof[::-1]):
        with boa.reverts(FOREIGN):
            ledger.claim(study, payouts, 150, WALLET, proof=bad)


def test_an_inner_node_never_passes_for_a_payout(ledger: Deployment) -> None:
    """An attacker who shows a node as if it were a leaf must find a leaf with that hash: it is hashed twice."""
    study, payouts = ledger.settled(256)
    tree = merkle.payout_tree(payouts)
    for level in (1, 7):
        with boa.reverts(FOREIGN):
            ledger.claim(study, payouts, 0, WALLET, proof=list(tree.proof(0, level=level)))


def test_padding_is_nobodys_payout(ledger: Deployment) -> None:
    study, payouts = ledger.settled(3)
    tree = merkle.payout_tree(payouts)
    beyond = [tree.levels[0][64:96], *tree.proof(2)[1:]]  # the proof of index 3, which is padding
    with boa.reverts(FOREIGN):
        ledger.studies.claim_mine(as_bytes(study), 3, 0, beyond, WALLET, sender=ZERO)


def test_an_alias_of_an_index_is_refused(ledger: Deployment) -> None:
    study, payouts = ledger.settled(3)
    proof = list(merkle.payout_tree(payouts).proof(1))
    for alias in (1 + 128, 1 + 2**32, 2**256 - 127):
        with boa.reverts(FOREIGN):
            ledger.studies.claim_mine(as_bytes(study), alias, PRICE, proof, WALLET, sender=payouts[1].address)


@pytest.mark.parametrize("subtree", [1, 2, 2**249, 2**255])
def test_an_alias_of_a_subtree_is_refused(ledger: Deployment, subtree: int) -> None:
    study, payouts = ledger.settled(3)
    owners = [payout.address for payout in payouts]
    with boa.reverts():
        ledger.studies.claim_subtree(as_bytes(study), subtree, PRICE, owners, [])


def bad_lists(payouts: list[Any]) -> list[list[str]]:
    owners = [payout.address for payout in payouts]
    return [owners[:-1], [*owners, WALLET], [*owners, ZERO], owners[::-1], [WALLET, *owners[1:]], []]


@pytest.mark.parametrize("which", range(6))
def test_a_subtree_with_other_people_in_it_is_refused(ledger: Deployment, which: int) -> None:
    study, payouts = ledger.settled(5)
    with boa.reverts("these payouts are not in the study's tree"):
        ledger.studies.claim_subtree(as_bytes(study), 0, PRICE, bad_lists(payouts)[which], [])


def test_nothing_is_claimed_before_settlement(ledger: Deployment) -> None:
    funding = ledger.funding()
    study = ledger.fund(funding)
    payouts = payouts_for(4, PRICE, study)
    for attempt in (lambda: ledger.claim_subtree(study, payouts), lambda: ledger.claim(study, payouts, 0, WALLET)):
        with boa.reverts("this study is not settled"):
            attempt()


def test_a_dishonest_root_drains_no_other_study(ledger: Deployment) -> None:
    ledger.settled(10, terms_digest=hexed("the victim"))
    funding = ledger.funding()
    study = ledger.fund(funding)
    ledger.vouch(study)
    greedy = payouts_for(9, PRICE, study)
    receipt = ledger.receipt(study, greedy, record_count=4, amount_wei=str(4 * PRICE))
    ledger.settle(funding, receipt)

    with boa.reverts("the study's escrow is smaller than this payout"):
        ledger.claim_subtree(study, greedy)
    for index in range(4):
        ledger.claim(study, greedy, index, WALLET)
    with boa.reverts("the study's escrow is smaller than this payout"):
        ledger.claim(study, greedy, 4, WALLET)
    assert balance(ledger, str(ledger.studies.address)) == 10 * PRICE


def test_a_leaf_of_nobody_does_not_wedge_its_subtree(ledger: Deployment) -> None:
    funding = ledger.funding()
    study = ledger.fund(funding)
    ledger.vouch(study)
    payouts = payouts_for(3, PRICE, study)
    payouts[1] = type(payouts[1])(index=1, address=ZERO, amount_wei=str(PRICE))
    ledger.settle(funding, ledger.receipt(study, payouts))

    ledger.claim_subtree(study, payouts)
    assert balance(ledger, payouts[0].address) == balance(ledger, payouts[2].address) == PRICE
    assert not ledger.studies.is_claimed(as_bytes(study), 1)
    assert escrow(ledger, study) == PRICE


def test_a_payout_never_expires_and_never_goes_back_into_escrow(ledger: Deployment) -> None:
    study, payouts = ledger.settled()
    boa.env.time_travel(seconds=50 * 365 * 86_400)
    with boa.reverts("a payout cannot go back into escrow"):
        ledger.claim(study, payouts, 0, str(ledger.studies.address).lower())
    with boa.reverts("tokens are not sent to the zero address"):
        ledger.claim(study, payouts, 0, ZERO)
    ledger.claim(study, payouts, 0, WALLET)
    assert balance(ledger, WALLET) == PRICE
