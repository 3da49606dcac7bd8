"""JSON-RPC parameters: from whatever was sent to typed values."""

import re
from typing import Any, NamedTuple

from nebula.ledger.node.machine import Call
from nebula.ledger.node.transactions import MAX_TRANSACTION_GAS
from nebula.protocol.errors import RejectedInputError

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_BYTES = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")
_ADDRESS_BYTES = 20
_WORD_BYTES = 32
_MAX_TOPICS = 4
_MAX_ALTERNATIVES = 1000
_FEE_FIELDS = frozenset(("gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"))
_CALL_FIELDS = _FEE_FIELDS | {"from", "to", "value", "data", "input", "nonce", "type", "chainId", "accessList"}
_FILTER_FIELDS = frozenset(("fromBlock", "toBlock", "address", "topics", "blockHash"))
_MAX_PERCENTILES = 100
_MAX_PERCENT = 100


class LogFilter(NamedTuple):
    """eth_getLogs' argument: a block hash, or two block tags; addresses and topics."""

    block_hash: bytes | None
    first: Any
    last: Any
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]


def reject(message: str) -> RejectedInputError:
    """Return the error for a parameter that cannot be accepted."""
    return RejectedInputError("ledger.params", message)


def parse_quantity(raw: Any) -> int:
    """Parse a hex quantity of at most 256 bits."""
    if not isinstance(raw, str) or _QUANTITY.fullmatch(raw) is None:
        raise reject("expected a quantity such as 0x1a")
    return int(raw, 16)


def parse_bytes(raw: Any, *, length: int | None = None) -> bytes:
    """Parse hex bytes, of exactly ``length`` if given."""
    match = _BYTES.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        raise reject("expected hex bytes after 0x")
    value = bytes.fromhex(match[1])
    if length is not None and len(value) != length:
        raise reject(f"expected {length} bytes, got {len(value)}")
    return value


def parse_address(raw: Any) -> bytes:
    """Parse an address."""
    return parse_bytes(raw, length=_ADDRESS_BYTES)


def parse_word(raw: Any) -> bytes:
    """Parse 32 bytes."""
    return parse_bytes(raw, length=_WORD_BYTES)


def parse_slot(raw: Any) -> int:
    """Parse a storage slot, written as a quantity or as 32 bytes."""
    if isinstance(raw, str) and len(raw) == 2 + 2 * _WORD_BYTES:
        return int.from_bytes(parse_word(raw), "big")
    return parse_quantity(raw)


def parse_flag(raw: Any) -> bool:
    """Parse a JSON true or false."""
    if not isinstance(raw, bool):
        raise reject("expected true or false")
    return raw


def parse_call(raw: Any) -> Call:
    """Parse a call object; fees, nonce and access list are accepted and not needed."""
    if not isinstance(raw, dict) or not raw.keys() <= _CALL_FIELDS:
        raise reject(f"expected a call object with fields among {', '.join(sorted(_CALL_FIELDS))}")
    data = raw.get("input", raw.get("data"))
    return Call(
        sender=parse_address(raw["from"]) if raw.get("from") else bytes(_ADDRESS_BYTES),
        to=parse_address(raw["to"]) if raw.get("to") else b"",
        input=b"" if data is None else parse_bytes(data),
        value_wei=parse_quantity(raw["value"]) if raw.get("value") else 0,
        # SECURITY: all readers wait for a call to end. One that never does is stopped where a transaction would be.
        gas=min(parse_quantity(raw["gas"]), MAX_TRANSACTION_GAS) if raw.get("gas") else MAX_TRANSACTION_GAS,
    )


def parse_percentiles(raw: Any) -> list[float]:
    """Parse eth_feeHistory's percentiles: at most a hundred, ascending, from 0 to 100."""
    # SECURITY: each of them is answered for each of a thousand blocks.
    if not isinstance(raw, list) or len(raw) > _MAX_PERCENTILES:
        raise reject(f"expected a list of at most {_MAX_PERCENTILES} percentiles")
    if any(isinstance(item, bool) or not isinstance(item, int | float) for item in raw):
        raise reject("a percentile is a number")
    if raw != sorted(raw) or any(not 0 <= item <= _MAX_PERCENT for item in raw):
        raise reject("percentiles ascend from 0 to 100")
    return raw


def parse_log_filter(raw: Any) -> LogFilter:
    """Parse a log filter."""
    if not isinstance(raw, dict) or not raw.keys() <= _FILTER_FIELDS:
        raise reject(f"expected a filter object with fields among {', '.join(sorted(_FILTER_FIELDS))}")
    addresses = raw.get("address")
    topics = raw.get("topics") or []
    if not isinstance(topics, list) or len(topics) > _MAX_TOPICS:
        raise reject("expected a list of at most four topics")
    block_hash = raw.get("blockHash")
    if block_hash is not None and ("fromBlock" in raw or "toBlock" in raw):
        raise reject("a filter has a block hash or a block range, not both")
    return LogFilter(
        block_hash=None if block_hash is None else parse_word(block_hash),
        first=raw.get("fromBlock", "latest"),
        last=raw.get("toBlock", "latest"),
        addresses=tuple(parse_address(item) for item in _alternatives(addresses)),
        topics=tuple(tuple(parse_word(item) for item in _alternatives(place)) for place in topics),
    )


def _alternatives(raw: Any) -> list[Any]:
    items = [] if raw is None else raw if isinstance(raw, list) else [raw]
    if len(items) > _MAX_ALTERNATIVES:
        raise reject(f"at most {_MAX_ALTERNATIVES} alternatives")
    return items
