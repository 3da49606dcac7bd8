"""What is signed for the ledger: EIP-712 digests of every message that a contract checks.

Written by hand over 32-byte words, because the general encoders cost a hundred times the hash and keepers and
relays check thousands of these a second; tests compare each with ``eth_account``'s. The type strings are those of
`contracts/`. Every message is bound to one contract on one chain by its :class:`Domain`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.money import wei_from_wire
from nebula.protocol.receipt import Receipt
from nebula.protocol.signing import keccak256

NAME: Final = "Nebula"
VERSION: Final = "1"

_WORD = 32
_COMMITMENT_BYTES = 26

_DOMAIN = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_RECORD_PUT = keccak256(b"RecordPut(address record,bytes26 commitment,uint48 version)")
_RECORD_WITHDRAWAL = keccak256(b"RecordWithdrawal(address record,uint48 version)")
_SESSION_VOTE = keccak256(
    b"SessionVote(address session,bytes32 study,bytes32 run,bytes32 measurement,bytes32 trust_root,bytes32 evidence)"
)
_RECEIPT = keccak256(
    b"Receipt(bytes32 study,bytes32 run,address session,bytes32 measurement,bytes32 trust_root,"
    b"bytes32 analysis_digest,uint64 consent_block_number,bytes32 consent_block_hash,bytes32 use_root,"
    b"bytes32 payout_root,uint32 record_count,uint256 amount,uint64 privacy_spend,bytes32 result_digest,"
    b"bool simulated)"
)
_CLAIM = keccak256(b"Claim(bytes32 study,uint256 index,address receiver)")
_PERMIT = keccak256(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
_AUTHORIZATION = (
    b"WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_TRANSFER = keccak256(b"Transfer" + _AUTHORIZATION)
_RECEIVE = keccak256(b"Receive" + _AUTHORIZATION)
_CANCEL = keccak256(b"CancelAuthorization(address authorizer,bytes32 nonce)")


@dataclass(frozen=True, slots=True)
class Domain:
    """One contract on one chain: what a signature is valid for, and for nothing else."""

    chain_id: int
    contract: Address

    @property
    def separator(self) -> bytes:
        """The EIP-712 domain separator, 32 bytes."""
        return _separator(self.chain_id, self.contract)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """What a buyer locks tokens for, in the order of the contract. Its digest is the study's id."""

    buyer: Address
    operator: Address
    terms_digest: Hash32
    measurement: Hash32
    price_wei: int
    fee_wei: int
    max_records: int
    deadline: int
    """The last second, in Unix time, in which a receipt settles the study."""

    @property
    def escrow_wei(self) -> int:
        """What is locked: the price for every record that may take part, and the fee."""
        return self.price_wei * self.max_records + self.fee_wei

    @property
    def study(self) -> Hash32:
        """The study's id: only this buyer can open it, and only for exactly this."""
        return to_hex(
            keccak256(
                _address(self.buyer)
                + _address(self.operator)
                + to_bytes(self.terms_digest)
                + to_bytes(self.measurement)
                + _uint(self.price_wei)
                + _uint(self.fee_wei)
                + _uint(self.max_records)
                + _uint(self.deadline)
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionVote:
    """A keeper's yes to one enclave session."""

    session: Address
    study: Hash32
    run: Hash32
    measurement: Hash32
    trust_root: Hash32
    evidence: Hash32
    """The digest of what the keeper appraised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A transfer of tokens that anyone may bring to the ledger (EIP-3009). Times are Unix seconds, both excluded."""

    owner: Address
    receiver: Address
    amount_wei: int
    valid_after: int
    valid_before: int
    nonce: bytes
    """32 bytes that the owner has not used before."""


def record_put_digest(domain: Domain, record: Address, commitment: bytes, *, version: int) -> bytes:
    """Return what a control key signs to set its record's 26-byte commitment; ``version``: the current one + 1."""
    if len(commitment) != _COMMITMENT_BYTES:
        raise RejectedInputError("typed-data.commitment", f"a commitment has 26 bytes, this one {len(commitment)}")
    return _digest(domain, _RECORD_PUT + _address(record) + commitment + bytes(6) + _uint(version))


def record_withdrawal_digest(domain: Domain, record: Address, *, version: int) -> bytes:
    """Return what a control key signs to end consent; ``version``: any beyond the record's own."""
    return _digest(domain, _RECORD_WITHDRAWAL + _address(record) + _uint(version))


def session_vote_digest(domain: Domain, vote: SessionVote) -> bytes:
    """Return what a keeper signs to vouch for a session."""
    fields = (vote.study, vote.run, vote.measurement, vote.trust_root, vote.evidence)
    return _digest(domain, _SESSION_VOTE + _address(vote.session) + b"".join(map(to_bytes, fields)))


def receipt_digest(domain: Domain, receipt: Receipt) -> bytes:
    """Return what an enclave session signs at the end of its run."""
    return _digest(
        domain,
        _RECEIPT
        + to_bytes(receipt.study)
        + to_bytes(receipt.run)
        + _address(receipt.session)
        + to_bytes(receipt.measurement)
        + to_bytes(receipt.trust_root)
        + to_bytes(receipt.analysis_digest)
        + _uint(receipt.consent_block_number)
        + to_bytes(receipt.consent_block_hash)
        + to_bytes(receipt.use_root)
        + to_bytes(receipt.payout_root)
        + _uint(receipt.record_count)
        + _uint(wei_from_wire(receipt.amount_wei))
        + _uint(receipt.privacy_micro_rho)
        + to_bytes(receipt.result_digest)
        + _uint(int(receipt.simulated)),
    )


def claim_digest(domain: Domain, study: Hash32, *, index: int, receiver: Address) -> bytes:
    """Return what a one-time key signs to have its payout sent to a receiver."""
    return _digest(domain, _CLAIM + to_bytes(study) + _uint(index) + _address(receiver))


def permit_digest(
    domain: Domain, owner: Address, spender: Address, *, amount_wei: int, nonce: int, deadline: int
) -> bytes:
    """Return what a token holder signs to let somebody spend (EIP-2612)."""
    fields = (amount_wei, nonce, deadline)
    return _digest(domain, _PERMIT + _address(owner) + _address(spender) + b"".join(map(_uint, fields)))


def transfer_digest(domain: Domain, authorization: Authorization) -> bytes:
    """Return what a token holder signs for ``transferWithAuthorization``."""
    return _digest(domain, _TRANSFER + _authorization(authorization))


def receive_digest(domain: Domain, authorization: Authorization) -> bytes:
    """Return what a token holder signs for ``receiveWithAuthorization``."""
    return _digest(domain, _RECEIVE + _authorization(authorization))


def cancel_digest(domain: Domain, authorizer: Address, nonce: bytes) -> bytes:
    """Return what a token holder signs to make an unused authorization worthless."""
    return _digest(domain, _CANCEL + _address(authorizer) + _nonce(nonce))


def _authorization(authorization: Authorization) -> bytes:
    numbers = (authorization.amount_wei, authorization.valid_after, authorization.valid_before)
    return (
        _address(authorization.owner)
        + _address(authorization.receiver)
        + b"".join(map(_uint, numbers))
        + _nonce(authorization.nonce)
    )


@lru_cache(maxsize=64)
def _separator(chain_id: int, contract: Address) -> bytes:
    name, version = keccak256(NAME.encode()), keccak256(VERSION.encode())
    return keccak256(_DOMAIN + name + version + _uint(chain_id) + _address(contract))


def _digest(domain: Domain, message: bytes) -> bytes:
    return keccak256(b"\x19\x01" + domain.separator + keccak256(message))


def _address(address: Address) -> bytes:
    return bytes(12) + to_bytes(address)


def _uint(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _nonce(nonce: bytes) -> bytes:
    if len(nonce) != _WORD:
        raise RejectedInputError("typed-data.nonce", f"a nonce has 32 bytes, this one {len(nonce)}")
    return nonce
