"""The file that a record was made of, kept as it came: encrypted to its owner alone, and given back byte for byte.

Keepers get no share of its key, and no consent or study can name it, for it is none of the record's parts. What is
understood of it today is in the parts; the file itself is for its owner to read again.
"""

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from nebula.crypt4gh import (
    AlteredError,
    MalformedFileError,
    NotARecipientError,
    PlainReader,
    decrypt_stream,
    encrypt_stream,
)
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import to_hex
from nebula.protocol.record import Original
from nebula.protocol.sealing import SealingKey
from nebula.storage import ReadableStorage, open_for_reading, parse_location

_PIECE_BYTES = 1 << 20
_TEMPORARY = "the original passes through the folder for temporary files: TMPDIR names another"


def store_original(file: BinaryIO, owner_key: bytes, put: Callable[[BinaryIO], str]) -> Original:
    """Encrypt a file to its owner and put it on storage, a piece at a time.

    Args:
        file: open, at its start.
        owner_key: the only recipient.
        put: puts the ciphertext on storage, and returns its location.

    Raises:
        UnavailableError: the storage, or this machine's folder for temporary files, is full or away.
    """
    digested = _Digested(file)
    try:
        with TemporaryFile() as sealed:  # ciphertext alone
            plain = io.BufferedReader(digested, _PIECE_BYTES)
            encrypted = encrypt_stream(plain, cast("BinaryIO", sealed), [owner_key])
            sealed.seek(0)
            location = put(cast("BinaryIO", sealed))
    except OSError as error:
        raise UnavailableError(
            "vault.original", f"the file could not be encrypted: {error.strerror or error}", hint=_TEMPORARY
        ) from error
    digest = to_hex(digested.sha256.digest())
    return Original(location=location, plaintext_bytes=encrypted.plain_length_bytes, plaintext_digest=digest)


def fetch_original(original: Original, identity: SealingKey, sink: BinaryIO) -> None:
    """Decrypt the original into ``sink``; on an error ``sink`` holds nothing that counts.

    Raises:
        UnavailableError: the storage is away, or has lost it.
        IntegrityError: it is not the file that the manifest describes.
    """
    url, name = parse_location(original.location)
    sealed = io.BufferedReader(_StoredObject(open_for_reading(url), name), _PIECE_BYTES)
    _check(original, cast("BinaryIO", sealed), sink, identity)


@contextmanager
def open_original(original: Original, identity: SealingKey) -> Iterator[BinaryIO]:
    """Give the original to read from again, as often as it takes; no byte of it is written anywhere in plain.

    Its ciphertext is fetched first, and is whole and the right one before anything of it is given.

    Raises:
        UnavailableError: the storage is away or has lost it, or the folder for temporary files is full.
        IntegrityError: it is not the file that the manifest describes.
    """
    url, name = parse_location(original.location)
    stored = io.BufferedReader(_StoredObject(open_for_reading(url), name), _PIECE_BYTES)
    with TemporaryFile() as sealed:  # ciphertext alone
        try:
            shutil.copyfileobj(stored, sealed, _PIECE_BYTES)
        except OSError as error:
            raise UnavailableError(
                "vault.original", f"the file could not be fetched: {error.strerror or error}", hint=_TEMPORARY
            ) from error
        sealed.seek(0)
        _check(original, cast("BinaryIO", sealed), cast("BinaryIO", _Nowhere()), identity)
        with PlainReader.open(cast("BinaryIO", sealed), identity) as plain:
            yield cast("BinaryIO", io.BufferedReader(plain, _PIECE_BYTES))


def _check(original: Original, sealed: BinaryIO, sink: BinaryIO, identity: SealingKey) -> None:
    """Decrypt all of ``sealed`` into ``sink``, and make sure that it was the original."""
    digested = _DigestedSink(sink)
    # SECURITY: storage may lie; segments authenticate, and the digest says that they are all there, in order.
    try:
        length = decrypt_stream(sealed, cast("BinaryIO", digested), identity)
    except (MalformedFileError, NotARecipientError) as error:
        raise AlteredError(error.code, f"what storage gave is not the original: {error.message}") from error
    if (length, to_hex(digested.sha256.digest())) != (original.plaintext_bytes, original.plaintext_digest):
        raise AlteredError(
            "crypt4gh.digest", "what storage gave is genuine, but not the file that the record was made of"
        )


class _Nowhere(io.RawIOBase):
    """A file that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes | memoryview) -> int:  # type: ignore[override]
        return len(piece)


class _Digested(io.RawIOBase):
    """A file whose digest is taken while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self.sha256.update(piece)
        return len(piece)


class _DigestedSink(io.RawIOBase):
    """A file whose digest is taken while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes | memoryview) -> int:  # type: ignore[override]
        self.sha256.update(piece)
        return self._file.write(piece)


class _StoredObject(io.RawIOBase):
    """An object on storage, read from its start."""

    def __init__(self, storage: ReadableStorage, name: str) -> None:
        self._storage, self._name, self._at = storage, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._storage.get_range(self._name, self._at, len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
