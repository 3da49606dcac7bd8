"""The client against the contracts, on the embedded ledger and on anvil: one suite, both must agree."""

import pytest

from ledger.ledgers import FAUCET, FOREVER, Ledger, Market
from nebula.ledger.client import LedgerClient, NetworkAddresses, RevertedError, deploy_network, parse_network_addresses
from nebula.ledger.client import records as record_events
from nebula.ledger.client import studies as study_events
from nebula.ledger.client.deployment import _arguments, _send_missing
from nebula.ledger.client.organizations import EVENTS, Registered, Role
from nebula.ledger.client.records import MAX_SLOTS, Put
from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.studies import StudyState
from nebula.ledger.client.wallet import Wallet, contract_address
from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.merkle import payout_tree, subtree_proof
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.receipt import Payout, Receipt, SignedReceipt
from nebula.protocol.typed_data import (
    Funding,
    SessionVote,
    claim_digest,
    permit_digest,
    receipt_digest,
    record_put_digest,
    record_withdrawal_digest,
    session_vote_digest,
)
from nebula.protocol.wire import to_canonical

COMMITMENT = bytes(range(26))


def digest(number: int) -> str:
    return f"0x{number:064x}"


def signed_put(market: Market, key: SigningKey, version: int = 1, commitment: bytes = COMMITMENT) -> Put:
    domain = market.network.records.domain(market.network.addresses.chain_id)
    signature = key.sign_digest(record_put_digest(domain, key.address, commitment, version=version))
    return Put(key.address, commitment, version, signature)


def test_a_deployment_run_again_finds_what_stands(ledger: Ledger, market: Market) -> None:
    again = deploy_network(ledger.client, market.governor.secret, keeper_threshold=2, sleep=ledger.tick)

    assert again == market.network.addresses
    assert parse_network_addresses(to_canonical(again)) == again
    assert ledger.client.code(again.organizations, again.deployed_block)
    assert not ledger.client.code(again.organizations, again.deployed_block - 1)


def test_an_interrupted_deployment_is_continued(ledger: Ledger) -> None:
    key = ledger.fresh_key()
    addresses = {
        name: contract_address(key.address, nonce)
        for nonce, name in enumerate(("organizations", "token", "records", "sessions", "studies", "panels"))
    }
    _send_missing(ledger.client, Wallet(key.secret), [0, 1], _arguments(addresses, key.address, 2))
    ledger.tick(0)

    found = deploy_network(ledger.client, key.secret, keeper_threshold=2, sleep=ledger.tick)

    assert isinstance(found, NetworkAddresses)
    assert found.studies == addresses["studies"]


def test_a_key_with_a_past_deploys_nothing(ledger: Ledger) -> None:
    key = ledger.fresh_key()
    ledger.transact(key.secret, None, to="0x" + "ab" * 20)

    with pytest.raises(RejectedInputError) as refused:
        deploy_network(ledger.client, key.secret, keeper_threshold=2, sleep=ledger.tick)
    assert refused.value.code == "ledger.deployer-used"


def test_a_network_of_other_terms_is_not_taken_for_ours(ledger: Ledger, market: Market) -> None:
    with pytest.raises(IntegrityError):
        deploy_network(ledger.client, market.governor.secret, keeper_threshold=3, sleep=ledger.tick)


def test_an_absent_ledger_is_unavailable_and_retried() -> None:
    pauses: list[float] = []
    client = LedgerClient("http://127.0.0.1:9", sleep=pauses.append)

    with pytest.raises(UnavailableError) as away:
        client.head()
    assert away.value.code == "ledger.away"
    assert len(pauses) == 3


def test_another_chain_is_noticed(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError):
        ledger.client.require_chain(1)


def test_an_organizations_name_survives_the_ledger(ledger: Ledger, market: Market) -> None:
    name = "Œuvre générale & Søns, 基因 GmbH"
    somebody = SigningKey.generate().address
    call = market.network.organizations.register(somebody, Role.LAB, standing_until=FOREVER, legal_name=name)
    receipt = ledger.transact(market.governor.secret, call)

    decoded = [EVENTS.decode(log) for log in receipt.logs]

    assert [item.event for item in decoded if item] == [Registered(somebody, int(Role.LAB), FOREVER, name)]
    assert market.network.organizations.in_good_standing(somebody, Role.LAB)
    assert market.network.organizations.all_in_good_standing([somebody, market.buyer.address], Role.LAB) == [
        True,
        False,
    ]


def test_a_refusal_comes_with_the_contracts_own_sentence(ledger: Ledger, market: Market) -> None:
    call = market.network.organizations.suspend(market.buyer.address)

    with pytest.raises(RevertedError) as refused:
        market.network.client.request(
            "eth_call", {"from": market.buyer.address, "to": call.to, "data": "0x" + call.input.hex()}, "latest"
        )
    assert refused.value.reason == "only the governor may do this"


def test_records_are_put_read_and_withdrawn(ledger: Ledger, market: Market) -> None:
    records = market.network.records
    keys = [SigningKey.generate() for _ in range(5)]
    forged = Put(keys[0].address, COMMITMENT, 2, b"\x01" * 64 + b"\x1b")
    receipt = ledger.transact(FAUCET, records.put_many([*(signed_put(market, key) for key in keys), forged]))

    kinds = [type(item.event) for log in receipt.logs if (item := record_events.EVENTS.decode(log))]
    assert kinds == [record_events.Registered] * 5 + [record_events.Refused]

    gone = keys[2]
    domain = records.domain(market.network.addresses.chain_id)
    signature = gone.sign_digest(record_withdrawal_digest(domain, gone.address, version=7))
    ledger.transact(FAUCET, records.withdraw(gone.address, version=7, signature=signature))

    stranger = SigningKey.generate().address
    slots = records.slots([key.address for key in keys] + [stranger])
    assert [slot.is_live for slot in slots] == [True, True, False, True, True, False]
    assert [slot.version for slot in slots] == [1, 1, 7, 1, 1, 0]
    assert slots[0].commitment == COMMITMENT
    # The past stays as it was, by number and by hash.
    assert records.slot(gone.address, receipt.block_number).is_live
    assert records.slots([gone.address, keys[0].address], receipt.block_hash)[0].is_live


def test_slots_of_more_records_than_one_call_reads_come_in_the_order_asked_for(ledger: Ledger, market: Market) -> None:
    known = SigningKey.generate()
    ledger.transact(FAUCET, market.network.records.put_many([signed_put(market, known)]))
    strangers = [f"0x{number:040x}" for number in range(1, MAX_SLOTS + 100)]

    slots = market.network.records.slots([*strangers, known.address, *strangers])

    assert [slot.record for slot in slots] == [*strangers, known.address, *strangers]
    assert [slot.record for slot in slots if slot.is_live] == [known.address]
    assert market.network.records.slots([]) == []


def test_logs_are_found_whatever_page_size_the_node_grants(ledger: Ledger, market: Market) -> None:
    head = ledger.client.head().number
    found = ledger.client.logs([market.network.addresses.organizations], first=0, last=head, topics=[EVENTS.topics])

    names = [item.event.name for log in found if (item := EVENTS.decode(log)) and isinstance(item.event, Registered)]
    assert {"BUYER Ltd", "OPERATOR Ltd", "KEEPER Ltd", "DESK Ltd"} <= set(names)


def fund(market: Market, *, salt: int, max_records: int = 200, deadline: int = 2**33) -> Funding:
    ledger, network = market.ledger, market.network
    funding = Funding(
        buyer=market.buyer.address,
        operator=market.operator.address,
        terms_digest=digest(salt),
        measurement=digest(77),
        price_wei=TOKEN_WEI,
        fee_wei=5 * TOKEN_WEI,
        max_records=max_records,
        deadline=deadline,
    )
    nonce = network.token.permit_nonce(market.buyer.address)
    permit = permit_digest(
        network.token.domain(network.addresses.chain_id),
        market.buyer.address,
        network.addresses.studies,
        amount_wei=funding.escrow_wei,
        nonce=nonce,
        deadline=FOREVER,
    )
    signature = market.buyer.sign_digest(permit)
    ledger.transact(
        market.buyer.secret,
        network.studies.fund_with_permit(funding, permit_deadline=FOREVER, signature=signature),
    )
    return funding


def settle(market: Market, funding: Funding, payouts: list[Payout], *, run: int) -> SignedReceipt:
    ledger, network = market.ledger, market.network
    session = SigningKey.generate()
    trust_root = digest(88)
    if network.sessions.approval(funding.measurement, trust_root) is Approval.NONE:
        approve = network.sessions.approve_measurement(funding.measurement, trust_root, simulated=True)
        ledger.transact(market.governor.secret, approve)
    vote = SessionVote(
        session=session.address,
        study=funding.study,
        run=digest(run),
        measurement=funding.measurement,
        trust_root=trust_root,
        evidence=digest(5),
    )
    domain = network.sessions.domain(network.addresses.chain_id)
    votes = [(keeper.address, keeper.sign_digest(session_vote_digest(domain, vote))) for keeper in market.keepers[:2]]
    ledger.transact(FAUCET, network.sessions.register_session(vote, votes))
    assert network.sessions.vouches_for(vote, simulated=True)
    receipt = Receipt(
        study=funding.study,
        run=digest(run),
        session=session.address,
        measurement=funding.measurement,
        trust_root=trust_root,
        analysis_digest=digest(1),
        consent_block_number=1,
        consent_block_hash=digest(2),
        use_root=digest(3),
        payout_root="0x" + payout_tree(payouts).root.hex(),
        record_count=len(payouts),
        amount_wei=str(len(payouts) * TOKEN_WEI),
        privacy_micro_rho=0,
        result_digest=digest(4),
        simulated=True,
    )
    signature = session.sign_digest(receipt_digest(network.studies.domain(network.addresses.chain_id), receipt))
    signed = SignedReceipt(receipt=receipt, signature=signature)
    ledger.transact(FAUCET, network.studies.settle(funding, signed))
    return signed


def test_a_studys_money_goes_its_whole_way(ledger: Ledger, market: Market) -> None:
    network = market.network
    before = network.token.balance_wei(market.buyer.address)
    funding = fund(market, salt=1)
    assert network.studies.state_of(funding.study) is StudyState.FUNDED
    assert network.studies.escrow_wei(funding.study) == 205 * TOKEN_WEI

    one_time = [SigningKey.generate() for _ in range(130)]
    payouts = [
        Payout(index=index, address=key.address, amount_wei=str(TOKEN_WEI)) for index, key in enumerate(one_time)
    ]
    settle(market, funding, payouts, run=1)
    assert network.token.balance_wei(market.operator.address) >= 5 * TOKEN_WEI

    tree = payout_tree(payouts)
    claim = network.studies.claim_subtree(funding.study, payouts[:128], subtree_proof(tree, 0))
    receipt = ledger.transact(FAUCET, claim)
    events = [item.event for log in receipt.logs if (item := study_events.EVENTS.decode(log))]
    assert isinstance(events[0], study_events.SubtreeClaimed)
    assert events[0].indices == list(range(128))
    assert receipt.gas_used <= claim.gas * 0.8

    receiver = SigningKey.generate().address
    domain = network.studies.domain(network.addresses.chain_id)
    signature = one_time[129].sign_digest(claim_digest(domain, funding.study, index=129, receiver=receiver))
    single = network.studies.claim(funding.study, payouts[129], tree.proof(129), receiver=receiver, signature=signature)
    ledger.transact(FAUCET, single)
    with pytest.raises(RevertedError):
        ledger.transact(FAUCET, single)

    assert network.token.balance_wei(receiver) == TOKEN_WEI
    assert network.token.balances_wei([key.address for key in one_time[:3]]) == [TOKEN_WEI] * 3
    assert network.studies.are_claimed(funding.study, [0, 128, 129]) == [True, False, True]
    assert network.studies.escrow_wei(funding.study) == TOKEN_WEI
    assert network.token.balance_wei(market.buyer.address) == before - 135 * TOKEN_WEI


def test_a_blocks_bloom_is_that_of_its_receipts(ledger: Ledger, market: Market) -> None:
    receipt = ledger.transact(FAUCET, market.network.records.put(signed_put(market, SigningKey.generate())))

    block = ledger.client.request("eth_getBlockByHash", receipt.block_hash, True)
    (transaction,) = block["transactions"]
    shown = ledger.client.request("eth_getTransactionReceipt", transaction["hash"])

    assert shown["logsBloom"] == block["logsBloom"] != "0x" + "00" * 256
    assert shown["transactionHash"] == receipt.transaction_hash


def test_every_call_has_gas_to_spare(ledger: Ledger, market: Market) -> None:
    keys = [SigningKey.generate() for _ in range(200)]
    call = market.network.records.put_many([signed_put(market, key) for key in keys])

    receipt = ledger.transact(FAUCET, call)

    assert receipt.gas_used <= call.gas * 0.8
    assert receipt.gas_used / 200 <= 34_000
