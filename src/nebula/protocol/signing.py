"""secp256k1 signatures as the ledger accepts them, and keccak256.

One form only: 65 bytes r ‖ s ‖ v, s in the lower half of the group's order, v 27 or 28. Every other form of the
same signature is refused, so a signature cannot be altered by those who did not make it. `contracts/signatures.vy`
holds the same rules.
"""

from typing import Final

from coincurve import PrivateKey, PublicKey
from sha3 import keccak_256  # type: ignore[import-untyped]  # the C module has no stubs

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.secrets import SecretBytes

SIGNATURE_BYTES: Final = 65
DIGEST_BYTES: Final = 32

ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order of secp256k1's group."""

_HALF_ORDER = (ORDER // 2).to_bytes(32, "big")
_V_OFFSET = 27


def keccak256(message: bytes) -> bytes:
    """Return Ethereum's hash of a message, 32 bytes."""
    digest: bytes = keccak_256(message).digest()
    return digest


def sign_digest(key: SecretBytes, digest: bytes) -> bytes:
    """Sign a 32-byte digest: deterministic (RFC 6979), r ‖ s ‖ v, low s, v 27 or 28.

    Raises:
        RejectedInputError: the key is no secp256k1 key, or the digest does not have 32 bytes.
    """
    _check_digest(digest)
    signature: bytes = _private_key(key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([_V_OFFSET + signature[64]])


def recover(digest: bytes, signature: bytes) -> Address:
    """Return the address whose key signed a digest.

    Raises:
        RejectedInputError: not 65 bytes, s in the upper half, v not 27 or 28, or no key could have made it.
    """
    # SECURITY: an attacker's bytes come in here.
    _check_digest(digest)
    if len(signature) != SIGNATURE_BYTES:
        raise RejectedInputError("signature.length", f"a signature has 65 bytes, this one {len(signature)}")
    if signature[32:64] > _HALF_ORDER:
        raise RejectedInputError("signature.high-s", "the signature's s lies in the upper half of the order")
    if signature[64] not in (_V_OFFSET, _V_OFFSET + 1):
        raise RejectedInputError("signature.v", f"the signature's v is {signature[64]}, neither 27 nor 28")
    compact = signature[:64] + bytes([signature[64] - _V_OFFSET])
    try:
        public_key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception where no key fits
        raise RejectedInputError("signature.invalid", "no key could have made this signature") from error
    return _address(public_key)


def address_of(public_key: bytes) -> Address:
    """Return the address of a public key, given compressed (33 bytes) or not (65).

    Raises:
        RejectedInputError: the bytes are no point of the curve.
    """
    try:
        return _address(PublicKey(public_key))
    except ValueError as error:
        raise RejectedInputError("keys.secp256k1", "these bytes are no secp256k1 public key") from error


def address_of_secret(key: SecretBytes) -> Address:
    """Return the address of a secret key.

    Raises:
        RejectedInputError: the key is no secp256k1 key.
    """
    return _address(_private_key(key).public_key)


def _address(public_key: PublicKey) -> Address:
    return "0x" + keccak256(public_key.format(compressed=False)[1:])[-20:].hex()


def _private_key(key: SecretBytes) -> PrivateKey:
    scalar = int.from_bytes(key.reveal(), "big")
    if len(key) != DIGEST_BYTES or not 0 < scalar < ORDER:
        raise RejectedInputError("keys.secp256k1", "these bytes are no secp256k1 key")
    return PrivateKey(key.reveal())


def _check_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_BYTES:
        raise RejectedInputError("signature.digest", f"what is signed has 32 bytes, this has {len(digest)}")
