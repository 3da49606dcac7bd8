"""One-time payout addresses (ERC-5564, scheme 1: secp256k1 with view tags).

The payer takes a fresh ephemeral key r and the owner's meta-address (spending point S, viewing point V):
h = keccak256(compressed r·V), and the payout goes to the address of S + h·G. The owner finds it with the
viewing key alone, because v·R is the same point, and spends it with s + h. Nobody else can tell that two
such addresses belong together, or to whom.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coincurve import PrivateKey, PublicKey

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import address_of, keccak256

_META_ADDRESS = re.compile(r"\Ast:eth:0x([0-9a-f]{66})([0-9a-f]{66})\Z")


@dataclass(frozen=True, slots=True)
class MetaAddress:
    """Where an owner's payouts go, as compressed points of 33 bytes."""

    spending: bytes
    viewing: bytes


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an owner needs to find a payout: its address, the ephemeral point and one byte to skip others fast."""

    address: Address
    ephemeral_public_key: bytes
    view_tag: int


def parse_meta_address(text: str) -> MetaAddress:
    """Parse ``st:eth:0x`` and two compressed points in hex.

    Raises:
        RejectedInputError: another form, or a point that is not on the curve.
    """
    # SECURITY: an owner's record brings this into the enclave.
    match = _META_ADDRESS.match(text)
    if match is None:
        raise RejectedInputError("stealth.meta-address", "this is no ERC-5564 meta-address: st:eth:0x and two points")
    points = bytes.fromhex(match[1]), bytes.fromhex(match[2])
    for point in points:
        _point(point)
    return MetaAddress(*points)


def pay_to(meta: MetaAddress, ephemeral: SecretBytes) -> Announcement:
    """Return a fresh address for an owner. ``ephemeral``: 32 random bytes, used once."""
    shared = keccak256(_point(meta.viewing).multiply(ephemeral.reveal()).format())
    address = address_of(_point(meta.spending).add(shared).format())
    return Announcement(address, PrivateKey(ephemeral.reveal()).public_key.format(), shared[0])


def is_mine(announcement: Announcement, viewing: SecretBytes, spending_point: bytes) -> bool:
    """Whether a payout belongs to the holder of the viewing key."""
    shared = keccak256(_point(announcement.ephemeral_public_key).multiply(viewing.reveal()).format())
    if shared[0] != announcement.view_tag:
        return False
    return address_of(_point(spending_point).add(shared).format()) == announcement.address


def scan(announcements: Iterable[Announcement], viewing: SecretBytes, spending_point: bytes) -> Iterator[Announcement]:
    """Yield the payouts that belong to the holder of the viewing key."""
    return (found for found in announcements if is_mine(found, viewing, spending_point))


def one_time_key(ephemeral_public_key: bytes, viewing: SecretBytes, spending: SecretBytes) -> SecretBytes:
    """Return the secret key of a payout's address: s + h."""
    shared = keccak256(_point(ephemeral_public_key).multiply(viewing.reveal()).format())
    return SecretBytes(PrivateKey(spending.reveal()).add(shared).secret)


def _point(compressed: bytes) -> PublicKey:
    try:
        return PublicKey(compressed)
    except ValueError as error:
        raise RejectedInputError("stealth.point", "these bytes are no point of secp256k1") from error
