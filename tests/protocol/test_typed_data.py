"""Digests written by hand are those of an independent EIP-712 encoder."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi import encode
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol import typed_data
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.receipt import Receipt
from nebula.protocol.signing import keccak256
from nebula.protocol.typed_data import Authorization, Domain, Funding, SessionVote

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
HASHES = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
NONCES = st.binary(min_size=32, max_size=32)
AMOUNTS = st.integers(0, 2**128 - 1)
NUMBERS = st.integers(0, 2**63 - 1)
VERSIONS = st.integers(0, 2**48 - 1)
DOMAINS = st.builds(Domain, st.integers(1, 2**64), ADDRESSES)
AUTHORIZATIONS = st.builds(
    Authorization,
    owner=ADDRESSES,
    receiver=ADDRESSES,
    amount_wei=AMOUNTS,
    valid_after=NUMBERS,
    valid_before=NUMBERS,
    nonce=NONCES,
)
MANY = settings(max_examples=12, deadline=None)


def reference(domain: Domain, name: str, fields: str, *values: Any) -> bytes:
    """What eth_account says is signed: ``fields`` as in the type string, values in their order."""
    typed = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    names = [field["name"] for field in typed]
    signable = encode_typed_data(
        {"name": "Nebula", "version": "1", "chainId": domain.chain_id, "verifyingContract": domain.contract},
        {name: typed},
        dict(zip(names, values, strict=True)),
    )
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


@MANY
@given(domain=DOMAINS, record=ADDRESSES, commitment=st.binary(min_size=26, max_size=26), version=VERSIONS)
def test_record_messages(domain: Domain, record: str, commitment: bytes, version: int) -> None:
    assert typed_data.record_put_digest(domain, record, commitment, version=version) == reference(
        domain,
        "RecordPut",
        "address record,bytes26 commitment,uint48 version",
        record,
        commitment,
        version,
    )
    assert typed_data.record_withdrawal_digest(domain, record, version=version) == reference(
        domain, "RecordWithdrawal", "address record,uint48 version", record, version
    )


@MANY
@given(domain=DOMAINS, session=ADDRESSES, hashes=st.tuples(*[HASHES] * 5))
def test_session_votes(domain: Domain, session: str, hashes: tuple[str, ...]) -> None:
    study, run, measurement, trust_root, evidence = hashes
    vote = SessionVote(
        session=session, study=study, run=run, measurement=measurement, trust_root=trust_root, evidence=evidence
    )
    assert typed_data.session_vote_digest(domain, vote) == reference(
        domain,
        "SessionVote",
        "address session,bytes32 study,bytes32 run,bytes32 measurement,bytes32 trust_root,bytes32 evidence",
        session,
        *hashes,
    )


@MANY
@given(
    domain=DOMAINS,
    session=ADDRESSES,
    hashes=st.tuples(*[HASHES] * 9),
    block=NUMBERS,
    count=st.integers(0, 2**32 - 1),
    amount=AMOUNTS,
    spend=NUMBERS,
    simulated=st.booleans(),
)
def test_receipts(
    *,
    domain: Domain,
    session: str,
    hashes: tuple[str, ...],
    block: int,
    count: int,
    amount: int,
    spend: int,
    simulated: bool,
) -> None:
    study, run, measurement, trust_root, analysis, block_hash, uses, payouts, result = hashes
    receipt = Receipt(
        study=study,
        run=run,
        session=session,
        measurement=measurement,
        trust_root=trust_root,
        analysis_digest=analysis,
        consent_block_number=block,
        consent_block_hash=block_hash,
        use_root=uses,
        payout_root=payouts,
        record_count=count,
        amount_wei=str(amount),
        privacy_micro_rho=spend,
        result_digest=result,
        simulated=simulated,
    )
    head = (study, run, session, measurement, trust_root, analysis, block, block_hash, uses, payouts)
    assert typed_data.receipt_digest(domain, receipt) == reference(
        domain,
        "Receipt",
        "bytes32 study,bytes32 run,address session,bytes32 measurement,bytes32 trust_root,"
        "bytes32 analysis_digest,uint64 consent_block_number,bytes32 consent_block_hash,bytes32 use_root,"
        "bytes32 payout_root,uint32 record_count,uint256 amount,uint64 privacy_spend,bytes32 result_digest,"
        "bool simulated",
        *head,
        count,
        amount,
        spend,
        result,
        simulated,
    )


@MANY
@given(domain=DOMAINS, study=HASHES, index=NUMBERS, receiver=ADDRESSES)
def test_claims(domain: Domain, study: str, index: int, receiver: str) -> None:
    assert typed_data.claim_digest(domain, study, index=index, receiver=receiver) == reference(
        domain, "Claim", "bytes32 study,uint256 index,address receiver", study, index, receiver
    )


@MANY
@given(domain=DOMAINS, owner=ADDRESSES, spender=ADDRESSES, amount=AMOUNTS, nonce=NUMBERS, deadline=NUMBERS)
def test_permits(*, domain: Domain, owner: str, spender: str, amount: int, nonce: int, deadline: int) -> None:
    assert typed_data.permit_digest(
        domain, owner, spender, amount_wei=amount, nonce=nonce, deadline=deadline
    ) == reference(
        domain,
        "Permit",
        "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline",
        owner,
        spender,
        amount,
        nonce,
        deadline,
    )


@pytest.mark.parametrize(
    ("digest", "name"),
    [
        (typed_data.transfer_digest, "TransferWithAuthorization"),
        (typed_data.receive_digest, "ReceiveWithAuthorization"),
    ],
)
@MANY
@given(domain=DOMAINS, spent=AUTHORIZATIONS)
def test_authorizations(
    digest: Callable[[Domain, Authorization], bytes], name: str, domain: Domain, spent: Authorization
) -> None:
    assert digest(domain, spent) == reference(
        domain,
        name,
        "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce",
        spent.owner,
        spent.receiver,
        spent.amount_wei,
        spent.valid_after,
        spent.valid_before,
        spent.nonce,
    )


@MANY
@given(domain=DOMAINS, authorizer=ADDRESSES, nonce=NONCES)
def test_cancellations(domain: Domain, authorizer: str, nonce: bytes) -> None:
    assert typed_data.cancel_digest(domain, authorizer, nonce) == reference(
        domain, "CancelAuthorization", "address authorizer,bytes32 nonce", authorizer, nonce
    )


@MANY
@given(
    parties=st.tuples(ADDRESSES, ADDRESSES),
    hashes=st.tuples(HASHES, HASHES),
    price=AMOUNTS,
    fee=AMOUNTS,
    records=st.integers(0, 2**32 - 1),
    deadline=NUMBERS,
)
def test_a_studys_id_is_the_digest_of_its_abi_encoded_funding(
    *, parties: tuple[str, str], hashes: tuple[str, str], price: int, fee: int, records: int, deadline: int
) -> None:
    funding = Funding(
        buyer=parties[0],
        operator=parties[1],
        terms_digest=hashes[0],
        measurement=hashes[1],
        price_wei=price,
        fee_wei=fee,
        max_records=records,
        deadline=deadline,
    )
    encoded = encode(
        ["address", "address", "bytes32", "bytes32", "uint256", "uint256", "uint32", "uint64"],
        [*parties, *(bytes.fromhex(value[2:]) for value in hashes), price, fee, records, deadline],
    )
    assert funding.study == "0x" + keccak256(encoded).hex()
    assert funding.escrow_wei == price * records + fee


def test_misfits_are_refused_before_they_shift_the_fields_behind_them() -> None:
    domain = Domain(1, "0x" + "11" * 20)
    for length in (0, 25, 27, 32):
        with pytest.raises(RejectedInputError, match="26 bytes"):
            typed_data.record_put_digest(domain, domain.contract, bytes(length), version=1)
    for length in (0, 31, 33):
        with pytest.raises(RejectedInputError, match="32 bytes"):
            typed_data.cancel_digest(domain, domain.contract, bytes(length))
