"""An executed block and its parts, as the node stores and shows them."""

from dataclasses import dataclass, field

from nebula.ledger.node.headers import Header


@dataclass(frozen=True)
class Log:
    """One event: who emitted it, up to four 32-byte topics, data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Executed:
    """One transaction that stands in a block.

    Attributes:
        raw: the signed bytes exactly as received, so that the chain can be replayed elsewhere.
        contract: address created by this transaction, or None.
        output: revert data when ``succeeded`` is false, else empty.
    """

    hash: bytes
    raw: bytes
    sender: bytes
    to: bytes
    contract: bytes | None
    succeeded: bool
    gas_used: int
    cumulative_gas_used: int
    effective_gas_price: int
    output: bytes
    logs: tuple[Log, ...]


@dataclass(frozen=True)
class Block:
    """A block with everything its commit writes."""

    header: Header
    transactions: tuple[Executed, ...]
    nodes: dict[bytes, bytes] = field(repr=False)
