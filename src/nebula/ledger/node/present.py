"""Blocks, transactions, receipts and logs in the shapes of Ethereum JSON-RPC."""

from typing import Any

from eth.constants import CREATE_CONTRACT_ADDRESS

from nebula.ledger.node.blocks import Executed
from nebula.ledger.node.headers import Header, engine_header
from nebula.ledger.node.store import StoredLog, StoredTransaction
from nebula.ledger.node.transactions import SignedTransaction, decode_transaction
from nebula.protocol.ids import to_hex
from nebula.protocol.signing import keccak256

_BLOOM_BYTES = 256
_HEADER_BYTES = {
    "parentHash": "parent_hash",
    "sha3Uncles": "uncles_hash",
    "miner": "coinbase",
    "stateRoot": "state_root",
    "transactionsRoot": "transaction_root",
    "receiptsRoot": "receipt_root",
    "extraData": "extra_data",
    "mixHash": "mix_hash",
    "nonce": "nonce",
    "withdrawalsRoot": "withdrawals_root",
    "parentBeaconBlockRoot": "parent_beacon_block_root",
    "requestsHash": "requests_hash",
}
_HEADER_QUANTITIES = {
    "number": "block_number",
    "difficulty": "difficulty",
    "gasLimit": "gas_limit",
    "gasUsed": "gas_used",
    "timestamp": "timestamp",
    "baseFeePerGas": "base_fee_per_gas",
    "blobGasUsed": "blob_gas_used",
    "excessBlobGas": "excess_blob_gas",
}


def quantity(number: int) -> str:
    """Return a number as JSON-RPC writes it: hex without leading zeros."""
    return hex(number)


def block(header: Header, transactions: list[Any]) -> dict[str, Any]:
    """Return a block; ``transactions`` are hashes or whole transactions, as asked for."""
    whole = engine_header(header.raw)
    shape = {name: to_hex(getattr(whole, field)) for name, field in _HEADER_BYTES.items()}
    shape |= {name: quantity(getattr(whole, field)) for name, field in _HEADER_QUANTITIES.items()}
    return shape | {
        "hash": to_hex(header.hash),
        "logsBloom": to_hex(whole.bloom.to_bytes(_BLOOM_BYTES, "big")),
        "size": quantity(len(header.raw)),
        "transactions": transactions,
        "uncles": [],
        "withdrawals": [],
    }


def transaction(stored: StoredTransaction, header: Header, chain_id: int) -> dict[str, Any]:
    """Return a transaction with its place in the chain."""
    executed = stored.executed
    signed = decode_transaction(executed.raw, chain_id=chain_id)
    return {
        "hash": to_hex(executed.hash),
        "blockHash": to_hex(header.hash),
        "blockNumber": quantity(stored.block),
        "transactionIndex": quantity(stored.position),
        "from": to_hex(executed.sender),
        "to": _recipient(executed),
        "value": quantity(signed.value_wei),
        "input": to_hex(signed.input),
        "nonce": quantity(signed.nonce),
        "gas": quantity(signed.gas),
        "gasPrice": quantity(executed.effective_gas_price),
        "chainId": quantity(chain_id),
        "type": quantity(signed.kind),
        "v": quantity(signed.v),
        "r": quantity(signed.r),
        "s": quantity(signed.s),
    } | _typed_fields(signed)


def _typed_fields(signed: SignedTransaction) -> dict[str, Any]:
    if signed.kind == 0:
        return {}
    access = [
        {"address": to_hex(address), "storageKeys": [to_hex(slot.to_bytes(32, "big")) for slot in slots]}
        for address, slots in signed.access_list
    ]
    fields: dict[str, Any] = {"accessList": access, "yParity": quantity(signed.y_parity)}
    if signed.kind > 1:
        fields["maxFeePerGas"] = quantity(signed.max_fee_wei)
        fields["maxPriorityFeePerGas"] = quantity(signed.max_priority_fee_wei)
    return fields


def receipt(stored: StoredTransaction, header: Header) -> dict[str, Any]:
    """Return a receipt; a failed one has ``revertReason``, the revert data, as Besu gives it."""
    executed = stored.executed
    logs = [
        StoredLog(stored.block, stored.first_log + place, stored.position, entry)
        for place, entry in enumerate(executed.logs)
    ]
    topics = [item for entry in executed.logs for item in (entry.address, *entry.topics)]
    shape = {
        "transactionHash": to_hex(executed.hash),
        "transactionIndex": quantity(stored.position),
        "blockHash": to_hex(header.hash),
        "blockNumber": quantity(stored.block),
        "from": to_hex(executed.sender),
        "to": _recipient(executed),
        "contractAddress": None if executed.contract is None else to_hex(executed.contract),
        "status": quantity(int(executed.succeeded)),
        "gasUsed": quantity(executed.gas_used),
        "cumulativeGasUsed": quantity(executed.cumulative_gas_used),
        "effectiveGasPrice": quantity(executed.effective_gas_price),
        "type": quantity(executed.raw[0] if executed.raw[0] < 0xC0 else 0),  # noqa: PLR2004  # RLP lists begin there
        "logsBloom": to_hex(_bloom(topics)),
        "logs": [log(entry, header.hash, executed.hash) for entry in logs],
    }
    if not executed.succeeded:
        shape["revertReason"] = to_hex(executed.output)
    return shape


def log(entry: StoredLog, block_hash: bytes, transaction_hash: bytes) -> dict[str, Any]:
    """Return a log with its place in the chain."""
    return {
        "address": to_hex(entry.log.address),
        "topics": [to_hex(topic) for topic in entry.log.topics],
        "data": to_hex(entry.log.data),
        "blockNumber": quantity(entry.block),
        "blockHash": to_hex(block_hash),
        "transactionHash": to_hex(transaction_hash),
        "transactionIndex": quantity(entry.position),
        "logIndex": quantity(entry.log_index),
        "removed": False,
    }


def _recipient(executed: Executed) -> str | None:
    return None if executed.to == CREATE_CONTRACT_ADDRESS else to_hex(executed.to)


def _bloom(items: list[bytes]) -> bytes:
    """Return the 2048-bit filter of the yellow paper: three bits for each address and topic."""
    bits = 0
    for item in items:
        digest = keccak256(item)
        for at in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & (8 * _BLOOM_BYTES - 1))
    return bits.to_bytes(_BLOOM_BYTES, "big")
