"""What a node answers, as typed values. A node may lie, but only in the forms that a node's answers have."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from nebula.protocol.errors import IntegrityError, UnavailableError
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


Count = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{1,15}\Z")]
"""A number of things that there are: fits a database's integer."""
Quantity = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{1,64}\Z")]
Word = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{64}\Z")]
Data = Annotated[str, msgspec.Meta(pattern=r"\A0x([0-9a-fA-F]{2})*\Z")]
AnyCase = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{40}\Z")]


class _Block(msgspec.Struct, frozen=True, rename="camel"):
    number: Count
    hash: Word
    parent_hash: Word
    timestamp: Count
    base_fee_per_gas: Quantity = "0x0"


class _Log(msgspec.Struct, frozen=True, rename="camel"):
    block_number: Count
    block_hash: Word
    log_index: Count
    transaction_hash: Word
    address: AnyCase
    topics: Annotated[tuple[Word, ...], msgspec.Meta(max_length=4)]
    data: Data


class _Receipt(msgspec.Struct, frozen=True, rename="camel"):
    transaction_hash: Word
    block_number: Count
    block_hash: Word
    status: Count
    gas_used: Count
    logs: tuple[_Log, ...]
    contract_address: AnyCase | None = None
    revert_reason: str | None = None


T = TypeVar("T")


def parse_answer(kind: type[T], answer: Any) -> T:
    """Return a node's answer as the type that it must be of.

    SECURITY: the node's bytes come in here. Which block, log or amount it names is its word; that it is one is checked.

    Raises:
        UnavailableError: ``ledger.malformed``; the node is out of order, or no node.
    """
    try:
        return msgspec.convert(answer, kind, strict=True)
    except msgspec.ValidationError as error:
        raise UnavailableError(
            "ledger.malformed",
            f"the ledger's node answers what no node may answer: {error}",
            hint="ask its operator, or name another node in the settings",
        ) from error


def block_ref(answer: Any) -> BlockRef | None:
    """Return a block out of the node's answer; raises as :func:`parse_answer`."""
    if answer is None:
        return None
    block = parse_answer(_Block, answer)
    return BlockRef(
        number=int(block.number, 16),
        hash=block.hash,
        parent_hash=block.parent_hash,
        timestamp_seconds=int(block.timestamp, 16),
        base_fee_wei=int(block.base_fee_per_gas, 16),
    )


def raw_logs(answer: Any, *, of: Collection[Address]) -> list[RawLog]:
    """Return logs out of the node's answer.

    Raises:
        UnavailableError: as :func:`parse_answer`.
        IntegrityError: ``ledger.log``; one is of a contract that nobody asked about.
    """
    logs = [_raw_log(log) for log in parse_answer(tuple[_Log, ...], answer)]
    for log in logs:
        if log.address not in of:
            raise IntegrityError("ledger.log", f"the ledger's node answers with a log of {log.address}, unasked")
    return logs


def _raw_log(log: _Log) -> RawLog:
    return RawLog(
        block_number=int(log.block_number, 16),
        block_hash=log.block_hash,
        log_index=int(log.log_index, 16),
        transaction_hash=log.transaction_hash,
        address=log.address.lower(),
        topics=log.topics,
        body=log.data,
    )


def transaction_receipt(answer: Any) -> TransactionReceipt | None:
    """Return a receipt out of the node's answer, None where it has none; raises as :func:`parse_answer`."""
    if answer is None:
        return None
    receipt = parse_answer(_Receipt, answer)
    revert = receipt.revert_reason
    return TransactionReceipt(
        transaction_hash=receipt.transaction_hash,
        block_number=int(receipt.block_number, 16),
        block_hash=receipt.block_hash,
        succeeded=int(receipt.status, 16) == 1,
        gas_used=int(receipt.gas_used, 16),
        contract=None if receipt.contract_address is None else receipt.contract_address.lower(),
        logs=tuple(map(_raw_log, receipt.logs)),
        revert_data=from_hex(revert) if revert is not None and revert.startswith("0x") else None,
    )


def from_hex(answer: Any) -> bytes:
    """Return the bytes that the node wrote as 0x and hex digits; raises as :func:`parse_answer`."""
    return bytes.fromhex(parse_answer(Data, answer)[2:])


def from_quantity(answer: Any) -> int:
    """Return the number that the node wrote as 0x and hex digits; raises as :func:`parse_answer`."""
    return int(parse_answer(Quantity, answer), 16)
