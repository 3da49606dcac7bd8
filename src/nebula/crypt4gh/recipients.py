"""Changing who may read a file by rewriting its header; the body is never touched.

A packet does not say whom it is for, so there is no taking one recipient out: the header is written anew for those
who stay. Whoever could read the file before may have kept its data key, and can still read every copy of this body.
To shut someone out, encrypt anew.
"""

import shutil
from collections.abc import Iterable
from typing import BinaryIO

from nebula.crypt4gh.header import (
    SealedHeader,
    open_packets,
    parse_header,
    read_header,
    seal_packets,
    serialize_header,
)
from nebula.crypt4gh.packets import understand
from nebula.protocol.sealing import SealingKey


def rewrite_header(
    header: SealedHeader, reader: SealingKey, recipients: Iterable[bytes], *, keep_others: bool = False
) -> bytes:
    """Return a header that gives ``recipients`` all that ``reader`` may know: data keys and edit list.

    Args:
        header: as parsed.
        reader: a key that opens it.
        recipients: X25519 public keys; the reader's own too, if it shall still open the file.
        keep_others: also keep every packet that is there now, the reader's and other people's.

    Raises:
        NotARecipientError: the header does not open with ``reader``.
        MalformedFileError: what opens is not understood.
        RejectedInputError: no recipients, or a malformed or low-order one.
    """
    payloads = open_packets(header, reader)
    understand(payloads)  # nothing that is not understood is passed on
    kept = list(header.packets) if keep_others else []
    return serialize_header(kept + seal_packets(payloads, recipients))


def reencrypt(raw: bytes, reader: SealingKey, recipients: Iterable[bytes], *, keep_others: bool = False) -> bytes:
    """Return the same file for other recipients; see :func:`rewrite_header`."""
    header = parse_header(raw)
    rewritten = rewrite_header(header, reader, recipients, keep_others=keep_others)
    return b"".join((rewritten, memoryview(raw)[header.length_bytes :]))


def add_recipients(raw: bytes, reader: SealingKey, recipients: Iterable[bytes]) -> bytes:
    """Return the same file for these recipients besides those it has."""
    return reencrypt(raw, reader, recipients, keep_others=True)


def reencrypt_stream(
    source: BinaryIO,
    sink: BinaryIO,
    reader: SealingKey,
    recipients: Iterable[bytes],
    *,
    keep_others: bool = False,
) -> None:
    """Copy a file of any size for other recipients; see :func:`rewrite_header`."""
    sink.write(rewrite_header(read_header(source), reader, recipients, keep_others=keep_others))
    shutil.copyfileobj(source, sink)
