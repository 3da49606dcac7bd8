"""ERC-5564 stealth addresses, scheme 1 (secp256k1 with view tags): one-time addresses nobody can link.

With p the secret and P the public keys, r the sender's one-time secret and R its point:

    s  = keccak256(compressed(r · P_view)) = keccak256(compressed(p_view · R))
    P  = P_spend + s · G            its address is the stealth address
    p  = p_spend + s                its secret, which only the receiver can know
    view tag = first byte of s      lets a scan skip 255 of 256 strangers' announcements

Here announcements stand in sealed leaves, never on the ledger (an on-chain announcer would link).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from coincurve import PrivateKey, PublicKey

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import ORDER, address_of, keccak256

SCHEME_ID: Final = 1
PREFIX: Final = "st:eth:0x"
_POINT_BYTES = 33
_SCALAR_BYTES = 32


@dataclass(frozen=True, slots=True)
class MetaAddress:
    """Where a receiver's one-time addresses are derived from: two compressed public keys."""

    spending: bytes
    viewing: bytes

    def __str__(self) -> str:
        return PREFIX + self.spending.hex() + self.viewing.hex()


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a sender tells the receiver, and nobody else needs."""

    address: Address
    ephemeral_public_key: bytes
    """Compressed, 33 bytes."""
    view_tag: int
    """0 to 255."""


def parse_meta_address(text: str) -> MetaAddress:
    """Parse ``st:eth:0x…`` strictly: two valid compressed points in lower-case hex.

    One key alone, which the standard lets stand for both, is refused: whoever could see would also spend.

    Raises:
        RejectedInputError: another form, or a point that is not on the curve.
    """
    # SECURITY: a stranger's bytes come in here.
    digits = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or len(digits) != 4 * _POINT_BYTES or not set(digits) <= set("0123456789abcdef"):
        raise RejectedInputError(
            "stealth.meta-address", f"a meta-address is {PREFIX} and {4 * _POINT_BYTES} hex digits"
        )
    raw = bytes.fromhex(digits)
    spending, viewing = raw[:_POINT_BYTES], raw[_POINT_BYTES:]
    _point(spending)
    _point(viewing)
    if spending == viewing:
        raise RejectedInputError("stealth.meta-address", "the spending and the viewing key must differ")
    return MetaAddress(spending, viewing)


def generate(ephemeral_secret: SecretBytes, meta: MetaAddress) -> Announcement:
    """Make a one-time address for a receiver.

    Args:
        ephemeral_secret: 32 random bytes, never used twice; whoever knows them can link the payout.
        meta: the receiver's meta-address.

    Raises:
        RejectedInputError: the secret is no scalar, or a key is no point.
    """
    ephemeral = _private(ephemeral_secret)
    shared = _shared(_point(meta.viewing), ephemeral_secret)
    return Announcement(_address(_point(meta.spending), shared), ephemeral.public_key.format(), shared[0])


def scan(viewing_secret: SecretBytes, spending: bytes, announcements: Iterable[Announcement]) -> Iterator[Announcement]:
    """Yield those announcements that are the receiver's; what is malformed is nobody's and skipped.

    Args:
        viewing_secret: enough to find payouts, not to spend them.
        spending: the receiver's public spending key, compressed.
        announcements: anybody's.
    """
    scalar = _private(viewing_secret).secret
    spending_point = _point(spending)
    for announcement in announcements:
        try:
            # SECURITY: the point is a stranger's; coincurve refuses what is not on the curve.
            shared = keccak256(PublicKey(announcement.ephemeral_public_key).multiply(scalar).format())
        except ValueError:
            continue
        if shared[0] == announcement.view_tag and _address(spending_point, shared) == announcement.address:
            yield announcement


def one_time_secret(
    spending_secret: SecretBytes, viewing_secret: SecretBytes, announcement: Announcement
) -> SecretBytes:
    """Derive the secret key of a one-time address.

    Raises:
        RejectedInputError: the announcement is not this receiver's, or a key is no key.
    """
    shared = _shared(_point(announcement.ephemeral_public_key), viewing_secret)
    spending = _private(spending_secret)
    if _address(spending.public_key, shared) != announcement.address:
        raise RejectedInputError("stealth.not-yours", "this one-time address belongs to somebody else")
    scalar = (int.from_bytes(spending.secret, "big") + int.from_bytes(shared, "big")) % ORDER
    return SecretBytes(scalar.to_bytes(_SCALAR_BYTES, "big"))


def _shared(point: PublicKey, secret: SecretBytes) -> bytes:
    return keccak256(point.multiply(_private(secret).secret).format())


def _address(spending: PublicKey, shared: bytes) -> Address:
    return address_of(spending.add(shared).format())


def _point(raw: bytes) -> PublicKey:
    if len(raw) != _POINT_BYTES or raw[0] not in (2, 3):
        raise RejectedInputError("stealth.point", f"a public key is a compressed point of {_POINT_BYTES} bytes")
    try:
        return PublicKey(raw)
    except ValueError as error:
        raise RejectedInputError("stealth.point", "these bytes are no point of the curve") from error


def _private(secret: SecretBytes) -> PrivateKey:
    if len(secret) != _SCALAR_BYTES or not 0 < int.from_bytes(secret.reveal(), "big") < ORDER:
        raise RejectedInputError("stealth.secret", "these bytes are no secp256k1 secret")
    return PrivateKey(secret.reveal())
