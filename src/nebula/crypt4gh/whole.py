"""Encrypting and decrypting whole files, in memory and as streams."""

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

from nebula.crypt4gh.edits import KeptSpans
from nebula.crypt4gh.header import make_header, open_header, parse_header, read_header, read_up_to
from nebula.crypt4gh.packets import DATA_KEY_BYTES
from nebula.crypt4gh.segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES, SegmentCipher
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

_SEGMENTS_AT_ONCE: Final = 16
_ENDLESS: Final = 1 << 64


def generate_data_key() -> SecretBytes:
    """Return a fresh data key, the specification's session key."""
    return SecretBytes(os.urandom(DATA_KEY_BYTES))


def encrypt(
    plaintext: bytes | memoryview, recipients: Iterable[bytes], *, data_key: SecretBytes | None = None
) -> bytes:
    """Return a Crypt4GH file of a plaintext, for these X25519 public keys.

    Args:
        plaintext: any length.
        recipients: public keys, 32 bytes each, at least one.
        data_key: 32 bytes, never used for another file; a fresh one if None.

    Raises:
        RejectedInputError: no recipients, or a malformed or low-order one.
    """
    key = data_key or generate_data_key()
    return SegmentCipher([key]).seal_body(plaintext, prefix=make_header(recipients, key))


def decrypt(raw: bytes | memoryview, reader: SealingKey) -> bytes:
    """Return the plaintext of a Crypt4GH file, its edit list applied.

    Raises:
        MalformedFileError: not a Crypt4GH file, or cut short.
        NotARecipientError: not encrypted to this key.
        AlteredError: a segment does not authenticate.
    """
    header = open_header(parse_header(raw), reader)
    decrypted = SegmentCipher(header.data_keys).open_body(memoryview(raw)[header.length_bytes :])
    if header.edits is None:
        return decrypted
    return KeptSpans.of(header.edits, len(decrypted)).apply(decrypted)


def decrypt_with_data_key(raw: bytes | memoryview, data_key: SecretBytes) -> bytes:
    """Return the decrypted bytes of a file whose data key is known; nobody's private key is needed.

    The header stays closed, so an edit list would go unseen: parts have none.

    Raises:
        MalformedFileError: not a Crypt4GH file, or cut short.
        AlteredError: a segment does not authenticate.
    """
    length = parse_header(raw).length_bytes
    return SegmentCipher([data_key]).open_body(memoryview(raw)[length:])


@dataclass(frozen=True, slots=True)
class Encrypted:
    """What a stream became: how long it was, and the key to it."""

    plain_length_bytes: int
    data_key: SecretBytes


def encrypt_stream(
    source: BinaryIO, sink: BinaryIO, recipients: Iterable[bytes], *, data_key: SecretBytes | None = None
) -> Encrypted:
    """Encrypt what can be read from ``source`` into ``sink``, a MiB at a time.

    Raises:
        RejectedInputError: no recipients, or a malformed or low-order one.
    """
    key = data_key or generate_data_key()
    cipher, length = SegmentCipher([key]), 0
    sink.write(make_header(recipients, key))
    while piece := read_up_to(source, SEGMENT_BYTES * _SEGMENTS_AT_ONCE):
        sink.write(cipher.seal_body(piece))
        length += len(piece)
    return Encrypted(length, key)


def decrypt_stream(source: BinaryIO, sink: BinaryIO, reader: SealingKey) -> int:
    """Decrypt what can be read from ``source`` into ``sink``, a MiB at a time; return the plaintext's length.

    ``source`` need not be seekable. On an error ``sink`` holds what was good before it.

    Raises:
        MalformedFileError: not a Crypt4GH file, or cut short.
        NotARecipientError: not encrypted to this key.
        AlteredError: a segment does not authenticate.
    """
    header = open_header(read_header(source), reader)
    cipher, start, written = SegmentCipher(header.data_keys), 0, 0
    spans = deque(KeptSpans.of(header.edits, _ENDLESS).spans)
    while sealed := read_up_to(source, SEALED_SEGMENT_BYTES * _SEGMENTS_AT_ONCE):
        decrypted = cipher.open_body(sealed, first_segment=start // SEGMENT_BYTES)
        kept = _take_kept(spans, decrypted, start)
        sink.write(kept)
        start += len(decrypted)
        written += len(kept)
    return written


def _take_kept(spans: deque[tuple[int, int]], decrypted: bytes, start: int) -> bytes:
    """Return what is kept of the decrypted bytes that begin at ``start``, and forget the spans that end in them."""
    end = start + len(decrypted)
    pieces: list[bytes] = []
    while spans and spans[0][0] < end:
        at, length = spans[0]
        pieces.append(decrypted[max(0, at - start) : at + length - start])
        if at + length > end:
            break
        spans.popleft()
    return b"".join(pieces)
