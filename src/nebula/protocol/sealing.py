"""Sealing bytes to one party's X25519 key: shares, results, owners' leaves.

HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305. What is sealed can be
opened only by the holder of the key, and only by one who names the same ``info`` (what kind of message this is)
and ``aad`` (which record, part, version, keeper, session it belongs to): a share that is moved to another place
does not open there. Both are mandatory, and both enter the key schedule as HPKE's ``info``, each preceded by
its length: RFC 9180, section 8.1, tells single-shot applications to do it that way.

A sealed message is the encapsulated key (32 bytes), then the ciphertext, then the tag (16 bytes). It says
nothing about who sealed it; where that matters, the message around it is signed.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.secrets import SecretBytes

KEY_BYTES: Final = 32
SEALING_OVERHEAD_BYTES: Final = 32 + 16

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_LABEL = b"nebula/sealing/1"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """An X25519 key pair to be sealed to: a party's, a session's, or an owner's Crypt4GH identity.

    Made by :meth:`generate` or :meth:`from_secret`; the handle spares the key's expansion on every use.
    """

    secret: SecretBytes
    public_key: bytes
    _handle: X25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> "SealingKey":
        """Make a fresh key from the operating system's randomness."""
        return cls._of(X25519PrivateKey.generate())

    @classmethod
    def from_secret(cls, secret: SecretBytes) -> "SealingKey":
        """Take the key whose 32 secret bytes these are.

        Raises:
            RejectedInputError: not 32 bytes.
        """
        if len(secret) != KEY_BYTES:
            raise RejectedInputError("sealing.key", f"an X25519 key has {KEY_BYTES} bytes, not {len(secret)}")
        return cls._of(X25519PrivateKey.from_private_bytes(secret.reveal()))

    @classmethod
    def _of(cls, handle: X25519PrivateKey) -> "SealingKey":
        return cls(SecretBytes(handle.private_bytes_raw()), handle.public_key().public_bytes_raw(), handle)

    def exchange(self, public_key: bytes) -> SecretBytes:
        """Return the X25519 shared secret (RFC 7748) with another key.

        Raises:
            RejectedInputError: the other key is not 32 bytes, or of low order: it would share a constant.
        """
        try:
            return SecretBytes(self._handle.exchange(X25519PublicKey.from_public_bytes(public_key)))
        except ValueError as error:
            raise _weak_key() from error


def require_strong_key(public_key: bytes) -> bytes:
    """Return a public key that is fit to be sealed to.

    Every secret scalar is a multiple of eight, so one exchange with any of them finds every low-order point.

    Raises:
        RejectedInputError: not 32 bytes, or of low order: anyone could open what is sealed to it.
    """
    _PROBE.exchange(public_key)
    return public_key


def seal(public_key: bytes, plaintext: bytes | SecretBytes, *, info: bytes, aad: bytes) -> bytes:
    """Seal bytes so that only the holder of ``public_key`` opens them, in this one context.

    Args:
        public_key: X25519, 32 bytes.
        plaintext: what to seal; any length.
        info: what kind of message this is, ``b"nebula/share/1"``; not empty.
        aad: what it belongs to, canonically encoded; not empty.

    Raises:
        RejectedInputError: the public key is malformed or of low order, or the context is empty.
    """
    context = _context(info, aad)
    content = plaintext.reveal() if isinstance(plaintext, SecretBytes) else plaintext
    try:
        return _SUITE.encrypt(content, X25519PublicKey.from_public_bytes(public_key), context)
    except ValueError as error:
        raise _weak_key() from error


def open_sealed(key: SealingKey | SecretBytes, sealed: bytes, *, info: bytes, aad: bytes) -> SecretBytes:
    """Open what was sealed to this key in this context.

    Raises:
        IntegrityError: sealed to another key, in another context, cut short or altered; HPKE cannot tell which.
    """
    # SECURITY: ``sealed`` comes from a stranger. A low-order encapsulated key fails inside, like any wrong one.
    owner = key if isinstance(key, SealingKey) else SealingKey.from_secret(key)
    try:
        return SecretBytes(_SUITE.decrypt(sealed, owner._handle, _context(info, aad)))  # noqa: SLF001
    except (InvalidTag, ValueError) as error:
        raise IntegrityError(
            "sealing.not-opened",
            "a sealed message does not open: it is altered, or was sealed to another key or for another purpose",
        ) from error


def _context(info: bytes, aad: bytes) -> bytes:
    if not info or not aad:
        raise RejectedInputError("sealing.context", "a message is always sealed for a purpose and to a context")
    return b"".join(len(piece).to_bytes(8, "big") + piece for piece in (_LABEL, info, aad))


def _weak_key() -> RejectedInputError:
    return RejectedInputError(
        "sealing.weak-key",
        "this X25519 public key is malformed or of low order: anyone could open what is sealed to it",
    )


_PROBE = SealingKey.generate()
