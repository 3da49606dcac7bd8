"""Parts: one Crypt4GH file each, one recipient, one data key, no edit list, and never trusted by its MACs alone.

Crypt4GH authenticates every segment but not their order or number: a storage provider that swaps, repeats, drops or
cuts off segments changes the plaintext without any MAC noticing. So a manifest carries every part's exact length and
SHA-256, and a part is opened by those or not at all.
"""

import hashlib
import hmac
from dataclasses import dataclass

from nebula.crypt4gh.errors import AlteredError, MalformedFileError
from nebula.crypt4gh.header import header_length, open_header, parse_header
from nebula.crypt4gh.segments import (
    SEGMENT_BYTES,
    SegmentCipher,
    open_only_segment,
    sealed_length,
)
from nebula.crypt4gh.whole import encrypt, generate_data_key
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A part ready for storage, and what its manifest and its keepers need to know of it."""

    raw: bytes
    """The Crypt4GH file."""
    data_key: SecretBytes
    """To be split among keepers, then forgotten."""
    digest: bytes
    """SHA-256 of the plaintext."""
    length_bytes: int
    """Of the plaintext."""


def part_digest(plaintext: bytes) -> bytes:
    """Return the 32-byte SHA-256 by which a manifest knows a part."""
    return hashlib.sha256(plaintext).digest()


def seal_part(plaintext: bytes, owner_public_key: bytes) -> SealedPart:
    """Encrypt a part to its owner, under a fresh data key.

    Raises:
        RejectedInputError: the public key is malformed or of low order.
    """
    data_key = generate_data_key()
    raw = encrypt(plaintext, [owner_public_key], data_key=data_key)
    return SealedPart(raw, data_key, part_digest(plaintext), len(plaintext))


def open_part(raw: bytes | memoryview, data_key: SecretBytes, expected_digest: bytes, expected_length: int) -> bytes:
    """Return a part's plaintext, which is exactly what its manifest describes.

    In this order: (1) the body has the length that the plaintext's needs, before anything is decrypted; (2) every
    segment authenticates under the data key; (3) the SHA-256 is the manifest's.

    Raises:
        IntegrityError: any of these fails, or the bytes are no Crypt4GH file: storage gave something else.
    """
    # SECURITY: ``raw`` comes from storage that may lie.
    try:
        body = memoryview(raw)[header_length(raw) :]
        if len(body) != sealed_length(expected_length):
            raise AlteredError(
                "crypt4gh.length",
                f"a part of {expected_length} bytes has a body of {sealed_length(expected_length)}, not {len(body)}",
            )
        if 0 < expected_length <= SEGMENT_BYTES:
            plaintext = open_only_segment(body, data_key)
        else:
            plaintext = SegmentCipher([data_key]).open_body(body)
    except MalformedFileError as error:
        raise AlteredError(error.code, f"what storage gave is not the part: {error.message}") from error
    if not hmac.compare_digest(part_digest(plaintext), expected_digest):
        raise AlteredError("crypt4gh.digest", "a part's segments are genuine but not those of this version, in order")
    return plaintext


def data_key_of(raw: bytes | memoryview, owner: SealingKey) -> SecretBytes:
    """Return the data key of a part, with its owner's key.

    Raises:
        NotARecipientError: the file was not encrypted to this key.
        MalformedFileError: not a Crypt4GH file, or one with an edit list or several data keys: not a part.
    """
    header = open_header(parse_header(raw), owner)
    if header.edits is not None:
        raise MalformedFileError("crypt4gh.edited-part", "a part has no edit list, and this file has one")
    if len(header.data_keys) != 1:
        raise MalformedFileError("crypt4gh.data-keys", "a part has one data key, and this file has several")
    return header.data_keys[0]
