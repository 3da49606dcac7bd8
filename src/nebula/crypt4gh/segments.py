"""The body of a Crypt4GH file: segments of 64 KiB, each sealed by itself (specification 1.0, section 2.4).

``nonce (12) ‖ ciphertext ‖ MAC (16)``; only the last segment may be shorter. A MAC says that a segment was made
with the data key, not that it stands where it was written or that none is missing.
"""

import os
from collections.abc import Sequence
from io import BytesIO
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from nebula.crypt4gh.errors import AlteredError, MalformedFileError
from nebula.crypt4gh.packets import DATA_KEY_BYTES
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.secrets import SecretBytes

SEGMENT_BYTES: Final = 65536
OVERHEAD_BYTES: Final = 12 + 16
SEALED_SEGMENT_BYTES: Final = SEGMENT_BYTES + OVERHEAD_BYTES

_NONCE = 12


def sealed_length(plain_length: int) -> int:
    """Return how many bytes of body hold so many bytes of plaintext."""
    return plain_length + -(-plain_length // SEGMENT_BYTES) * OVERHEAD_BYTES


def plain_length(sealed_body_length: int) -> int:
    """Return how many bytes of plaintext a body of this length holds.

    Raises:
        MalformedFileError: no body has this length: the file was cut inside a segment's nonce or MAC.
    """
    whole, rest = divmod(sealed_body_length, SEALED_SEGMENT_BYTES)
    if 0 < rest <= OVERHEAD_BYTES:
        raise MalformedFileError("crypt4gh.truncated", "the file ends inside the nonce or MAC of its last segment")
    return whole * SEGMENT_BYTES + max(0, rest - OVERHEAD_BYTES)


class SegmentCipher:
    """Seals with one data key; opens with any of several, the last successful one first."""

    __slots__ = ("_ciphers",)

    def __init__(self, data_keys: Sequence[SecretBytes]) -> None:
        self._ciphers = [_cipher(key) for key in data_keys]
        if not self._ciphers:
            raise RejectedInputError("crypt4gh.data-key", "without a data key nothing can be opened or sealed")

    def seal_body(self, plaintext: bytes | memoryview, *, prefix: bytes = b"") -> bytes:
        """Return ``prefix`` and the body of a plaintext; it must end here or at a multiple of 64 KiB."""
        with _Buffer(len(prefix) + sealed_length(len(plaintext))) as buffer:
            buffer.view[: len(prefix)] = prefix
            self.seal_into(memoryview(plaintext), buffer.view[len(prefix) :])
        return buffer.content()

    def seal_into(self, plaintext: memoryview, target: memoryview) -> int:
        """Write the body of a plaintext to the front of ``target``; return its length."""
        count, place = -(-len(plaintext) // SEGMENT_BYTES), 0
        nonces = os.urandom(_NONCE * count)
        encrypt_into = self._ciphers[0].encrypt_into
        for i in range(count):
            nonce = nonces[i * _NONCE : (i + 1) * _NONCE]
            piece = plaintext[i * SEGMENT_BYTES : (i + 1) * SEGMENT_BYTES]
            start, place = place + _NONCE, place + len(piece) + OVERHEAD_BYTES
            target[start - _NONCE : start] = nonce
            encrypt_into(nonce, piece, None, target[start:place])
        return place

    def open_body(self, body: bytes | memoryview, *, first_segment: int = 0) -> bytes:
        """Return the plaintext of whole segments, the first of which has this number (for messages only).

        Raises:
            MalformedFileError: the body is cut inside a nonce or MAC.
            AlteredError: a segment does not authenticate with any data key.
        """
        with _Buffer(plain_length(len(body))) as buffer:
            self.open_into(memoryview(body), buffer.view, first_segment=first_segment)
        return buffer.content()

    def open_into(self, body: memoryview, target: memoryview, *, first_segment: int = 0) -> int:
        """Write the plaintext of whole segments to the front of ``target``; return its length.

        Raises:
            MalformedFileError: the body is cut inside a nonce or MAC; nothing is written.
            AlteredError: a segment does not authenticate with any data key.
        """
        length = plain_length(len(body))
        target = target[:length]
        decrypt_into = self._ciphers[0].decrypt_into
        for i in range(-(-len(body) // SEALED_SEGMENT_BYTES)):
            sealed = body[i * SEALED_SEGMENT_BYTES : (i + 1) * SEALED_SEGMENT_BYTES]
            plain = target[i * SEGMENT_BYTES : (i + 1) * SEGMENT_BYTES]
            try:
                decrypt_into(sealed[:_NONCE], sealed[_NONCE:], None, plain)
            except InvalidTag:
                self._open_otherwise(sealed, plain, first_segment + i)
                decrypt_into = self._ciphers[0].decrypt_into
        return length

    def _open_otherwise(self, sealed: memoryview, target: memoryview, number: int) -> None:
        """Open a segment with another data key than the one that opened the last."""
        for cipher in self._ciphers[1:]:
            try:
                cipher.decrypt_into(sealed[:_NONCE], sealed[_NONCE:], None, target)
            except InvalidTag:
                continue
            self._ciphers.remove(cipher)
            self._ciphers.insert(0, cipher)
            return
        raise _altered(number)


def open_only_segment(sealed: bytes | memoryview, data_key: SecretBytes) -> bytes:
    """Return the plaintext of a body that is one segment, as nearly all bodies of a cohort's parts are.

    Raises:
        AlteredError: it does not authenticate with the data key.
    """
    try:
        return _cipher(data_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except InvalidTag:
        raise _altered(0) from None


def _cipher(data_key: SecretBytes) -> ChaCha20Poly1305:
    key = data_key.reveal()
    if len(key) != DATA_KEY_BYTES:
        raise RejectedInputError("crypt4gh.data-key", f"a data key has {DATA_KEY_BYTES} bytes")
    return ChaCha20Poly1305(key)


def _altered(number: int) -> AlteredError:
    return AlteredError("crypt4gh.altered", f"segment {number} is altered, or was made with another key")


class _Buffer:
    """Bytes that are written in place once and then become a ``bytes`` without being copied.

    Touching fresh memory costs as much as the cipher does, so a second copy of a part would double the time.
    """

    def __init__(self, length: int) -> None:
        self._file = BytesIO(bytes(length))
        self.view = self._file.getbuffer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.view.release()

    def content(self) -> bytes:
        return self._file.getvalue()
