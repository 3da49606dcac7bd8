"""Raw signed transactions: from a stranger's bytes to one that may be executed."""

from dataclasses import dataclass, field
from typing import Any

import rlp  # type: ignore[import-untyped]  # no stubs are published
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_utils.exceptions import ValidationError

from nebula.protocol.errors import RejectedInputError

MAX_RAW_BYTES = 131_072
"""Largest signed transaction, as Geth's pool has it."""

MAX_TRANSACTION_GAS = 16_777_216
"""EIP-7825's cap: what runs here also runs on a chain with Osaka's rules."""

_MAX_INITCODE_BYTES = 49_152
_TYPES = {1: "access list", 2: "dynamic fee"}
_FIRST_LEGACY_BYTE = 0xC0
_REPLAYABLE_V = (27, 28)
_FLOOR_BASE_GAS = 21_000
_FLOOR_GAS_PER_TOKEN = 10
_TOKENS_PER_NONZERO_BYTE = 4


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction that is valid by itself; only the state can still refuse it.

    Attributes:
        kind: 0 legacy, 1 with access list, 2 dynamic fee.
        to: the recipient; empty to create a contract.
        engine: py-evm's own object, for executing.
    """

    raw: bytes
    hash: bytes
    kind: int
    sender: bytes
    to: bytes
    nonce: int
    gas: int
    value_wei: int
    input: bytes
    max_fee_wei: int
    max_priority_fee_wei: int
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...]
    v: int
    y_parity: int
    r: int
    s: int
    engine: Any = field(repr=False, compare=False)


def decode_transaction(raw: bytes, *, chain_id: int) -> SignedTransaction:
    """Decode and check everything about a transaction that does not depend on the state.

    Accepted are legacy transactions with EIP-155 replay protection, and types 1 and 2.

    Raises:
        RejectedInputError: malformed, for another chain, badly signed, or its gas is out of bounds.
    """
    # SECURITY: an attacker's bytes come in here.
    if not 1 <= len(raw) <= MAX_RAW_BYTES:
        raise _refuse("size", f"a transaction has 1 to {MAX_RAW_BYTES:,} bytes, this one {len(raw):,}")
    if raw[0] < _FIRST_LEGACY_BYTE and raw[0] not in _TYPES:
        raise _refuse("type", f"transaction type {raw[0]} is not supported here; use 0, 1 or 2")
    try:
        engine: Any = PragueTransactionBuilder.decode(raw)
        _check_chain(engine, chain_id)
        engine.validate()
        engine.check_signature_validity()
        transaction = _plain(raw, engine)
    except RejectedInputError:
        raise
    except (ValidationError, rlp.RLPException, ValueError, TypeError, OverflowError) as error:
        raise _refuse("malformed", f"not a valid signed transaction: {error}") from error
    if engine.encode() != raw:
        raise _refuse("malformed", "the transaction is not in canonical encoding")
    _check_limits(transaction)
    return transaction


def _plain(raw: bytes, engine: Any) -> SignedTransaction:
    kind = engine.type_id or 0
    return SignedTransaction(
        raw=raw,
        hash=bytes(engine.hash),
        kind=kind,
        sender=bytes(engine.sender),
        to=bytes(engine.to),
        nonce=engine.nonce,
        gas=engine.gas,
        value_wei=engine.value,
        input=bytes(engine.data),
        max_fee_wei=engine.max_fee_per_gas,
        max_priority_fee_wei=engine.max_priority_fee_per_gas,
        access_list=tuple((bytes(address), tuple(slots)) for address, slots in engine.access_list) if kind else (),
        v=engine.y_parity if kind else engine.v,
        y_parity=engine.y_parity,
        r=engine.r,
        s=engine.s,
        engine=engine,
    )


def _check_chain(transaction: Any, chain_id: int) -> None:
    if transaction.type_id is None and transaction.v in _REPLAYABLE_V:
        raise _refuse("unprotected", "only replay-protected (EIP-155) transactions are accepted")
    if transaction.chain_id != chain_id:
        raise _refuse("chain", f"signed for chain {transaction.chain_id}, this is {chain_id}")


def _check_limits(transaction: SignedTransaction) -> None:
    if transaction.gas > MAX_TRANSACTION_GAS:
        raise _refuse("gas-cap", f"transaction gas limit too high: {transaction.gas:,} of {MAX_TRANSACTION_GAS:,}")
    if transaction.max_priority_fee_wei > transaction.max_fee_wei:
        raise _refuse("fee", "max priority fee per gas higher than max fee per gas")
    if transaction.to == CREATE_CONTRACT_ADDRESS and len(transaction.input) > _MAX_INITCODE_BYTES:
        raise _refuse("code-size", f"contract creation code has more than {_MAX_INITCODE_BYTES:,} bytes")
    zeros = transaction.input.count(0)
    tokens = zeros + _TOKENS_PER_NONZERO_BYTE * (len(transaction.input) - zeros)
    floor = _FLOOR_BASE_GAS + _FLOOR_GAS_PER_TOKEN * tokens
    if transaction.gas < floor:
        raise _refuse("gas", f"intrinsic gas too low: this calldata needs {floor:,} (EIP-7623)")


def _refuse(what: str, message: str) -> RejectedInputError:
    return RejectedInputError(f"ledger.{what}", message)
