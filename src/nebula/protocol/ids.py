"""Identifiers as they stand on the wire: lower-case hex strings with their pattern in the type."""

from typing import Annotated

import msgspec

from nebula.protocol.errors import RejectedInputError

Address = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{40}\Z")]
"""An Ethereum address: of a record's control key, a party, a contract, a one-time payout key."""

Hash32 = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{64}\Z")]
"""A 32-byte digest or identifier: a study, a run, a measurement, a panel, a Merkle root."""

PublicKey = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
"""An X25519 public key to seal to."""

Signature = Annotated[bytes, msgspec.Meta(min_length=65, max_length=65)]
"""A recoverable secp256k1 signature: r ‖ s ‖ v, low s, v 27 or 28."""

Nonce = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]

_ADDRESS_BYTES = 20
_HASH_BYTES = 32


def to_hex(raw: bytes) -> str:
    """Return the wire form of bytes: lower-case hex with ``0x``."""
    return "0x" + raw.hex()


def to_bytes(value: str) -> bytes:
    """Return the bytes behind an :data:`Address` or :data:`Hash32` that was already parsed."""
    return bytes.fromhex(value[2:])


def parse_address(text: str) -> Address:
    """Parse an address that a person wrote, in any letter case.

    Raises:
        RejectedInputError: it is not 20 bytes of hex after ``0x``.
    """
    return _parse_hex(text, _ADDRESS_BYTES, "id.address", "an address")


def parse_hash(text: str) -> Hash32:
    """Parse a 32-byte identifier that a person wrote, in any letter case.

    Raises:
        RejectedInputError: it is not 32 bytes of hex after ``0x``.
    """
    return _parse_hex(text, _HASH_BYTES, "id.hash", "an identifier")


def begins(identifier: Address | Hash32, wanted: str) -> bool:
    """Whether an identifier begins as a person typed it, in any letter case, with or without ``0x``."""
    return identifier.startswith("0x" + wanted.strip().lower().removeprefix("0x"))


def _parse_hex(text: str, length: int, code: str, what: str) -> str:
    lowered = text.strip().lower()
    try:
        raw = bytes.fromhex(lowered.removeprefix("0x"))
    except ValueError:
        raw = b""
    if not lowered.startswith("0x") or len(raw) != length or len(lowered) != 2 + 2 * length:
        raise RejectedInputError(code, f"'{text[:80]}' is not {what}: expected 0x and {2 * length} hex digits")
    return lowered
