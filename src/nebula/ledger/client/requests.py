"""What is asked of a node over JSON-RPC, and about which block."""

from collections.abc import Sequence
from typing import Any

from nebula.protocol.ids import Address, Hash32, to_hex

Request = tuple[str, list[Any]]
At = int | Hash32 | None
"""Which block a read is about: its number, its hash, or None for the latest."""


def block_tag(at: At) -> Any:
    """Return how JSON-RPC names a block."""
    if at is None:
        return "latest"
    return hex(at) if isinstance(at, int) else {"blockHash": at}


def block_request(at: int | None) -> Request:
    """Return the request for a block's header by number."""
    return ("eth_getBlockByNumber", [block_tag(at), False])


def call_request(to: Address, data: bytes, at: At) -> Request:
    """Return the request for one read."""
    return ("eth_call", [{"to": to, "data": to_hex(data)}, block_tag(at)])


def log_query(
    addresses: Sequence[Address], first: int, last: int, topics: Sequence[Sequence[str] | None]
) -> dict[str, Any]:
    """Return eth_getLogs' argument."""
    query: dict[str, Any] = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses)}
    if topics:
        query["topics"] = [None if place is None else list(place) for place in topics]
    return query
