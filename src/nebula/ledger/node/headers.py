"""Block headers: py-evm's for executing, our own plain one for everything else."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import rlp  # type: ignore[import-untyped]  # no stubs are published
from eth.constants import BLANK_ROOT_HASH, ZERO_ADDRESS
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from eth.vm.forks.prague.blocks import PragueBlockHeader

from nebula.protocol.errors import IntegrityError

EXTRA_DATA = b"nebula"
_INITIAL_BASE_FEE_WEI = 10**9
_NONCE = bytes(8)


@dataclass(frozen=True)
class Header:
    """A block's header as it stands on the ledger. ``raw`` is its RLP, whose keccak is ``hash``."""

    number: int
    hash: bytes
    parent_hash: bytes
    state_root: bytes
    timestamp_seconds: int
    gas_limit: int
    gas_used: int
    base_fee_wei: int
    raw: bytes


@lru_cache(maxsize=64)
def decode_header(raw: bytes) -> Header:
    """Return a stored header. Kept, because thousands of reads in a row are about the same block."""
    return plain(engine_header(raw))


def engine_header(raw: bytes) -> Any:
    """Return a stored header as py-evm's own.

    Raises:
        IntegrityError: the bytes are no header; the file was altered.
    """
    try:
        return rlp.decode(raw, PragueBlockHeader)
    except rlp.RLPException as error:
        raise IntegrityError("ledger.file", "a stored block header is no block header") from error


def plain(header: Any) -> Header:
    """Return a py-evm header as our own."""
    return Header(
        number=header.block_number,
        hash=header.hash,
        parent_hash=header.parent_hash,
        state_root=header.state_root,
        timestamp_seconds=header.timestamp,
        gas_limit=header.gas_limit,
        gas_used=header.gas_used,
        base_fee_wei=header.base_fee_per_gas,
        raw=bytes(rlp.encode(header)),
    )


def next_base_fee(header: Header) -> int:
    """Return the base fee of the block after this one (EIP-1559)."""
    fee: int = calculate_expected_base_fee_per_gas(engine_header(header.raw))
    return fee


def child(parent: Header, timestamp_seconds: int) -> Any:
    """Return the header that a block on ``parent`` begins with; its state root is the parent's."""
    return _make(
        parent_hash=parent.hash,
        block_number=parent.number + 1,
        gas_limit=parent.gas_limit,
        timestamp=max(timestamp_seconds, parent.timestamp_seconds),
        state_root=parent.state_root,
        base_fee_per_gas=next_base_fee(parent),
    )


def first(*, gas_limit: int, timestamp_seconds: int) -> Any:
    """Return the header that block 0 begins with."""
    return _make(
        block_number=0, gas_limit=gas_limit, timestamp=timestamp_seconds, base_fee_per_gas=_INITIAL_BASE_FEE_WEI
    )


def _make(**fields: Any) -> Any:
    return PragueBlockHeader(
        difficulty=0,
        coinbase=ZERO_ADDRESS,
        withdrawals_root=BLANK_ROOT_HASH,
        extra_data=EXTRA_DATA,
        nonce=_NONCE,
        **fields,
    )
