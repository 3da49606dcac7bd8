"""The market's operator turns on everyone: it lies, drops, replays, forges, swaps and redirects.

It can delay. It cannot read, forge or steal: owners and keepers believe signatures and the ledger, never the hub.
"""

import sqlite3
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec
import pytest

from attacks.network import FinishedNetwork
from keeper.world import World
from nebula.ledger.client.records import Put
from nebula.ledger.client.wallet import Fees, Wallet
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, UnavailableError
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.ids import Address, to_bytes
from nebula.protocol.keys import SigningKey
from nebula.protocol.merkle import payout_tree, subtree_proof
from nebula.protocol.messages import (
    LEAVES,
    RELAY,
    LeavesAnswer,
    LeavesRequest,
    RecordPut,
    RelayAnswer,
    RelayRequest,
)
from nebula.protocol.receipt import SignedReceipt
from nebula.protocol.record import RESULT_INFO
from nebula.protocol.result import open_result
from nebula.protocol.sealing import SealingKey, open_sealed
from nebula.protocol.typed_data import claim_digest, receipt_digest, record_put_digest, record_withdrawal_digest
from nebula.transport.keyfiles import load_key
from nebula.transport.public import PublicFiles
from nebula.vault import earnings
from nebula.vault.consent import withdraw
from nebula.vault.earnings import Earning, Lost, Unreadable, read_earnings
from nebula.vault.enrol import control_key_of
from nebula.vault.payouts import own_payouts
from simulators.sgx import SgxHardware

pytestmark = pytest.mark.xdist_group("attacks")


class LyingHub:
    """Says yes to everything and does nothing, or hands out what it likes."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def ask(self, kind: Any, _body: Any, answer: type[Any]) -> Any:
        return self._answers.get(kind.name, answer(transactions=()) if answer is RelayAnswer else None)


def hub_key(network: FinishedNetwork) -> SigningKey:
    return SigningKey.from_secret(load_key(network.folder / "keys" / "hub.signing"))


def reverts(network: FinishedNetwork, call: Any) -> bool:
    message = {"from": hub_key(network).address, "to": call.to, "data": "0x" + call.input.hex(), "gas": hex(call.gas)}
    try:
        network.ledger().client.request("eth_call", message, "latest")
    except NebulaError:
        return True
    return False


def bring(network: FinishedNetwork, key: SigningKey, call: Any) -> None:
    """Send a transaction under any key that has gas."""
    client, wallet = network.ledger().client, Wallet(key.secret)
    signed = wallet.sign(
        call.to,
        call.input,
        chain_id=network.local.addresses.chain_id,
        nonce=client.nonce(wallet.address),
        gas=call.gas,
        fees=Fees.over(client.head().base_fee_wei, client.tip_wei()),
        value_wei=0,
    )
    client.send([signed.raw])


# Consent


def test_a_withdrawal_that_the_hub_swallows_is_noticed_and_works_without_it(network: FinishedNetwork) -> None:
    leaving = network.records[-2]
    deaf = replace(network.others, hub=LyingHub())
    with pytest.raises(IntegrityError) as noticed:
        withdraw(network.vault.engine, network.vault.owner, deaf, [leaving.record])
    assert noticed.value.code == "vault.withdrawal"
    assert "--direct" in (noticed.value.hint or "")

    digest = record_withdrawal_digest(network.others.records_domain, leaving.record, version=2)
    signature = control_key_of(network.vault.owner, leaving).sign_digest(digest)
    anyone = SigningKey.from_secret(load_key(network.folder / "keys" / "buyer.signing"))
    bring(network, anyone, network.ledger().records.withdraw(leaving.record, version=2, signature=signature))
    (slot,) = network.ledger().records.slots([leaving.record])
    assert slot.commitment is None


def test_an_old_registration_brings_no_consent_back(network: FinishedNetwork) -> None:
    """The hub kept what the owner signed when they joined, and sends it again after they left."""
    (gone,) = [record for record in network.records if record.record == network.withdrawn]
    for version in (1, 2):
        commitment = b"\x07" * 26
        digest = record_put_digest(network.others.records_domain, gone.record, commitment, version=version)
        put = RecordPut(
            record=gone.record,
            commitment="0x" + commitment.hex(),
            version=version,
            signature=control_key_of(network.vault.owner, gone).sign_digest(digest),
        )
        network.others.hub.ask(RELAY, RelayRequest(puts=(put,)), RelayAnswer)
        (slot,) = network.ledger().records.slots([gone.record])
        assert (slot.commitment, slot.version) == (None, 2)


def test_a_commitment_that_the_hub_signed_is_nobodys(network: FinishedNetwork) -> None:
    victim, commitment = network.records[0], b"\x09" * 26
    before = network.ledger().records.slots([victim.record])
    digest = record_put_digest(network.others.records_domain, victim.record, commitment, version=2)
    forged = hub_key(network).sign_digest(digest)
    put = RecordPut(record=victim.record, commitment="0x" + commitment.hex(), version=2, signature=forged)
    with pytest.raises(IntegrityError):
        network.others.hub.ask(RELAY, RelayRequest(puts=(put,)), RelayAnswer)
    anyone = SigningKey.from_secret(load_key(network.folder / "keys" / "buyer.signing"))
    bring(network, anyone, network.ledger().records.put_many([Put(victim.record, commitment, 2, forged)]))
    assert network.ledger().records.slots([victim.record]) == before


@pytest.fixture
def keeper(tmp_path: Any) -> Any:
    from keeper.world import NOW
    from nebula.attestation.simulator.pki import DevelopmentPki

    hardware = SgxHardware(DevelopmentPki.create(tmp_path / "pki", at=NOW), at=NOW)
    world = World(f"sqlite:///{tmp_path}/keeper.db", hardware)
    yield world
    world.engine.dispose()


def test_an_older_policy_that_the_hub_sends_again_does_not_count(keeper: World) -> None:
    from nebula.protocol.duo import Permission

    owner = keeper.owner()
    generous = owner.enrolment
    keeper.change_policy(owner, 2, permission=Permission.POA)
    session = keeper.session(keeper.study())
    from nebula.keeper.enrol import enrol
    from nebula.protocol.messages import EnrolRequest

    enrol(keeper.keeper, EnrolRequest(enrolments=(generous,)))
    assert keeper.release(session, owner.record).released == ()


def test_an_order_over_people_who_said_no_gets_nothing_of_them(keeper: World) -> None:
    """The hub lies about who matches: keepers decide again, alone."""
    from nebula.protocol.duo import Permission

    willing = keeper.owner()
    unwilling = keeper.owner(permission=Permission.POA)
    gone = keeper.owner()
    keeper.ledger.withdraw(gone.record)
    stranger = "0x" + "77" * 20
    session = keeper.session(keeper.study())
    answer = keeper.release(session, willing.record, unwilling.record, gone.record, stranger)
    assert [released.record for released in answer.released] == [willing.record]
    assert {refused.record for refused in answer.refused} == {unwilling.record, gone.record, stranger}


@pytest.mark.parametrize(
    "changes",
    [
        {"price_per_record_wei": "1"},
        {"analysis": "allele-frequency@1", "parameters": {}},
        {"parameters": {"trait": "hdl"}},
        {"panel": "0x" + "13" * 32},
        {"title": "A friendlier title"},
        {"result_key": b"h" * 32},
        {"min_records": 1, "max_records": 999},
        {"conditions": ()},
        {"fee_wei": "8"},
        {"operator": "0x" + "0f" * 20},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_study_that_the_hub_changed_is_not_the_one_that_was_funded(keeper: World, changes: dict[str, Any]) -> None:
    from nebula.protocol.study import Condition

    funded = keeper.study(conditions=(Condition(column="age", minimum=18.0),))
    substituted = msgspec.structs.replace(funded, **changes)
    with pytest.raises(NotPermittedError) as refused:
        keeper.session(substituted)
    assert refused.value.code == "study.not-open"


# Results and leaves


def sealed_result(network: FinishedNetwork, place: int) -> tuple[bytes, str]:
    run = network.runs[place].signed.receipt.run
    with sqlite3.connect(network.folder / "hub" / "hub.sqlite") as database:
        ((sealed,),) = database.execute("SELECT sealed_result FROM runs WHERE run = ?", (run,)).fetchall()
    return sealed, run


def test_another_runs_result_does_not_pass_for_this_ones(network: FinishedNetwork) -> None:
    key = SealingKey.from_secret(load_key(network.folder / "keys" / "buyer.sealing"))
    (first, first_run), (second, second_run) = (sealed_result(network, place) for place in (0, 1))
    for sealed, run in ((first, second_run), (second, first_run)):
        with pytest.raises(IntegrityError):
            open_sealed(key, sealed, info=RESULT_INFO, aad=run.encode())
    opened = open_sealed(key, second, info=RESULT_INFO, aad=second_run.encode()).reveal()
    with pytest.raises(IntegrityError):
        open_result(opened, expected_digest=network.runs[0].signed.receipt.result_digest)


def test_a_result_that_the_hub_made_up_is_none(network: FinishedNetwork) -> None:
    from nebula.protocol.sealing import seal

    key = SealingKey.from_secret(load_key(network.folder / "keys" / "buyer.sealing"))
    sealed, run = sealed_result(network, 0)
    honest = open_sealed(key, sealed, info=RESULT_INFO, aad=run.encode()).reveal()
    forged = seal(key.public_key, honest.replace(b'"sample', b'"Sample'), info=RESULT_INFO, aad=run.encode())
    opened = open_sealed(key, forged, info=RESULT_INFO, aad=run.encode()).reveal()
    with pytest.raises(NebulaError):
        open_result(opened + b" ", expected_digest="0x" + "00" * 32)


def test_leaves_that_were_swapped_left_out_or_made_up_give_nobody_anothers_payout(network: FinishedNetwork) -> None:
    public, later_run = network.runs[0], network.runs[1].signed.receipt.run
    leaves = network.others.hub.ask(LEAVES, LeavesRequest(run=public.signed.receipt.run), LeavesAnswer).leaves
    swapped = tuple(
        msgspec.structs.replace(leaf, sealed=other.sealed)
        for leaf, other in zip(leaves, leaves[1:] + leaves[:1], strict=True)
    )
    with pytest.raises(IntegrityError):
        list(own_payouts(*own(network), LyingHub(**{LEAVES.name: LeavesAnswer(leaves=swapped)}), public))
    later = network.others.hub.ask(LEAVES, LeavesRequest(run=later_run), LeavesAnswer).leaves
    for others, readable in ((leaves[:5], 5), (leaves[::-1], 20), (later, 0)):
        lying = own_payouts(*own(network), LyingHub(**{LEAVES.name: LeavesAnswer(leaves=others)}), public)
        assert len(list(islice(lying, readable))) == readable
        with pytest.raises(IntegrityError) as noticed:
            next(lying)
        assert noticed.value.code == "vault.leaves"


class AlteringHub:
    """An honest hub but for the leaves of one run: alters the first, or answers nonsense."""

    def __init__(self, network: FinishedNetwork, run: str, *, whole_run: bool) -> None:
        self._hub, self._run, self._whole_run = network.others.hub, run, whole_run

    def ask(self, kind: Any, body: Any, answer: type[Any]) -> Any:
        said = self._hub.ask(kind, body, answer)
        if body.run != self._run:
            return said
        if self._whole_run:
            raise IntegrityError("message.malformed", "the hub's answer is no page of leaves")
        first = msgspec.structs.replace(
            said.leaves[0], sealed=said.leaves[0].sealed[:-1] + bytes([said.leaves[0].sealed[-1] ^ 1])
        )
        return msgspec.structs.replace(said, leaves=(first, *said.leaves[1:]))


@pytest.mark.parametrize("whole_run", [False, True])
def test_what_is_altered_of_one_run_hides_no_other_earning(network: FinishedNetwork, whole_run: bool) -> None:
    honest = list(read_earnings(*own(network), network.others))
    altered = network.runs[0].signed.receipt
    hub = AlteringHub(network, altered.run, whole_run=whole_run)

    found = list(read_earnings(*own(network), replace(network.others, hub=hub)))

    lost = [one for one in found if isinstance(one, Unreadable)]
    assert {one.run for one in lost} == {altered.run}
    assert [one.what for one in lost] == ([Lost.RUN] if whole_run else [Lost.LEAF, Lost.LEAVES])
    assert [one.record is None for one in lost] == ([True] if whole_run else [False, True])
    gone = earned(honest) - earned(found)
    assert len(gone) == (altered.record_count if whole_run else 1)
    assert {run for run, _ in gone} == {altered.run}


def earned(found: list[Earning | Unreadable]) -> set[tuple[str, str]]:
    """In which run which record earned something."""
    return {(one.payout.leaf.run, one.payout.record) for one in found if isinstance(one, Earning)}


class RefusingFiles:
    """An honest hub's public files but for one run, which it answers with an error."""

    def __init__(self, honest: PublicFiles, run: str, error: NebulaError) -> None:
        self._honest, self._run, self._error = honest, run, error

    def run(self, run: str) -> Any:
        if run == self._run:
            raise self._error
        return self._honest.run(run)


def files_without(network: FinishedNetwork, monkeypatch: pytest.MonkeyPatch, error: NebulaError) -> str:
    """Have the hub refuse the public file of the first run; return which that is."""
    run = network.runs[0].signed.receipt.run
    honest = PublicFiles(network.local.hub_url)
    monkeypatch.setattr(earnings, "PublicFiles", lambda _url: RefusingFiles(honest, run, error))
    return run


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("peer.broken", "the hub answers with status 400"),
        UnavailableError("ledger.away", "so the hub says"),
        NotPermittedError("hub.no", "the hub does not like this run"),
    ],
)
def test_a_run_that_is_refused_hides_no_other_earning(
    network: FinishedNetwork, monkeypatch: pytest.MonkeyPatch, error: NebulaError
) -> None:
    honest = list(read_earnings(*own(network), network.others))
    run = files_without(network, monkeypatch, error)

    found = list(read_earnings(*own(network), network.others))

    (lost,) = [one for one in found if isinstance(one, Unreadable)]
    assert (lost.what, lost.run, lost.record, lost.error) == (Lost.RUN, run, None, error)
    assert earned(found) == {(other, record) for other, record in earned(honest) if other != run} != set()


def test_a_hub_that_is_away_is_said_to_be(network: FinishedNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    files_without(network, monkeypatch, UnavailableError("peer.away", "the hub does not answer"))

    with pytest.raises(UnavailableError):
        list(read_earnings(*own(network), network.others))


def own(network: FinishedNetwork) -> tuple[Any, Any]:
    return network.vault.engine, network.vault.owner


# Money


def test_no_receipt_of_the_hubs_own_settles_a_study(network: FinishedNetwork) -> None:
    study = network.study(title="A study that never ran")
    network.buyer.publish(study)
    network.buyer.fund(study)
    ledger, key = network.ledger(), hub_key(network)
    domain = ledger.studies.domain(network.local.addresses.chain_id)
    real = network.runs[0].signed
    loot = {
        "study": study_id(study),
        "amount_wei": str(int(study.price_per_record_wei) * study.max_records),
        "record_count": study.max_records,
    }
    for session in (key.address, real.receipt.session):
        forged = msgspec.structs.replace(real.receipt, session=session, **loot)
        signed = SignedReceipt(receipt=forged, signature=key.sign_digest(receipt_digest(domain, forged)))
        assert reverts(network, ledger.studies.settle(funding_of(study), signed))
    replayed = SignedReceipt(receipt=msgspec.structs.replace(real.receipt, **loot), signature=real.signature)
    assert reverts(network, ledger.studies.settle(funding_of(study), replayed))
    assert reverts(network, ledger.studies.settle(funding_of(study), real))


def test_nobody_redirects_repeats_or_invents_a_payout(network: FinishedNetwork) -> None:
    """The relayer, or anyone: addresses and amounts are in the tree, and each place is paid once."""
    ledger, public = network.ledger(), network.runs[0]
    study, tree, key = public.signed.receipt.study, payout_tree(public.payouts), hub_key(network)
    stolen = tuple(msgspec.structs.replace(payout, address=key.address) for payout in public.payouts)
    assert reverts(network, ledger.studies.claim_subtree(study, stolen, subtree_proof(payout_tree(stolen), 0)))
    assert reverts(network, ledger.studies.claim_subtree(study, stolen, subtree_proof(tree, 0)))
    domain = ledger.studies.domain(network.local.addresses.chain_id)
    for index in (0, 7, 19):
        digest = claim_digest(domain, study, index=index, receiver=key.address)
        mine = key.sign_digest(digest)
        call = ledger.studies.claim(
            study, public.payouts[index], tree.proof(index), receiver=key.address, signature=mine
        )
        assert reverts(network, call)
    owner = network.payouts(public)[3]
    index = owner.leaf.payout_index
    digest = claim_digest(domain, study, index=index, receiver=owner.key.address)
    again = ledger.studies.claim(
        study,
        public.payouts[index],
        tree.proof(index),
        receiver=owner.key.address,
        signature=owner.key.sign_digest(digest),
    )
    assert reverts(network, again), "it was paid by the relay already"


def test_every_token_of_the_finished_studies_has_one_owner(network: FinishedNetwork) -> None:
    """Promise 7, over the real ledger: price to each, fee to the operator, the rest back, nothing left over."""
    ledger = network.ledger()
    for public in network.runs:
        for payout in public.payouts:
            assert ledger.token.balance_wei(payout.address) == int(payout.amount_wei)
    paid = sum(int(payout.amount_wei) for public in network.runs for payout in public.payouts)
    fees = sum(int(public.evidence.study.fee_wei) for public in network.runs)
    assert ledger.token.balance_wei(network.local.hub) == fees
    locked = ledger.token.balance_wei(network.local.addresses.studies)
    from nebula.localnet.setup import BUYER_TOKENS_WEI

    assert network.buyer.balance_wei() + paid + fees + locked == BUYER_TOKENS_WEI


def test_a_payout_is_spent_by_its_owner_without_any_gas(network: FinishedNetwork) -> None:
    from nebula.protocol.typed_data import Authorization, transfer_digest

    payout = network.payouts(network.runs[0])[5]
    ledger = network.ledger()
    assert ledger.client.nonce(payout.key.address) == 0
    receiver: Address = SigningKey.generate().address
    authorization = Authorization(
        owner=payout.key.address,
        receiver=receiver,
        amount_wei=1,
        valid_after=0,
        valid_before=2**40,
        nonce=b"n" * 32,
    )
    digest = transfer_digest(ledger.token.domain(network.local.addresses.chain_id), authorization)
    thief = SigningKey.generate().sign_digest(digest)
    assert reverts(network, ledger.token.transfer_with_authorization(authorization, thief))
    assert not reverts(network, ledger.token.transfer_with_authorization(authorization, payout.key.sign_digest(digest)))
    assert to_bytes(receiver)
