"""What a node answers, as typed values."""

from dataclasses import dataclass
from typing import Any

from nebula.protocol.ids import Address, Hash32


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block: where the ledger stood."""

    number: int
    hash: Hash32
    parent_hash: Hash32
    timestamp_seconds: int
    base_fee_wei: int


@dataclass(frozen=True, slots=True)
class RawLog:
    """An event as the node gives it; hex strings are kept, they are decoded where they are needed."""

    block_number: int
    block_hash: Hash32
    log_index: int
    transaction_hash: Hash32
    address: Address
    topics: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """How a transaction ended, and in which block."""

    transaction_hash: Hash32
    block_number: int
    block_hash: Hash32
    succeeded: bool
    gas_used: int
    contract: Address | None
    logs: tuple[RawLog, ...]
    revert_data: bytes | None
    """What the contract said when it refused, where the node keeps it."""


def block_ref(answer: Any) -> BlockRef | None:
    """Return a block out of the node's answer."""
    if answer is None:
        return None
    return BlockRef(
        number=int(answer["number"], 16),
        hash=answer["hash"],
        parent_hash=answer["parentHash"],
        timestamp_seconds=int(answer["timestamp"], 16),
        base_fee_wei=int(answer.get("baseFeePerGas", "0x0"), 16),
    )


def raw_log(answer: Any) -> RawLog:
    """Return a log out of the node's answer."""
    return RawLog(
        block_number=int(answer["blockNumber"], 16),
        block_hash=answer["blockHash"],
        log_index=int(answer["logIndex"], 16),
        transaction_hash=answer["transactionHash"],
        address=answer["address"].lower(),
        topics=tuple(answer["topics"]),
        body=answer["data"],
    )


def transaction_receipt(answer: Any) -> TransactionReceipt:
    """Return a receipt out of the node's answer."""
    contract = answer.get("contractAddress")
    revert = answer.get("revertReason")
    return TransactionReceipt(
        transaction_hash=answer["transactionHash"],
        block_number=int(answer["blockNumber"], 16),
        block_hash=answer["blockHash"],
        succeeded=int(answer["status"], 16) == 1,
        gas_used=int(answer["gasUsed"], 16),
        contract=None if contract is None else contract.lower(),
        logs=tuple(raw_log(item) for item in answer["logs"]),
        revert_data=from_hex(revert) if isinstance(revert, str) and revert.startswith("0x") else None,
    )


def from_hex(answer: Any) -> bytes:
    """Return the bytes that the node wrote as 0x and hex digits."""
    return bytes.fromhex(answer[2:])
