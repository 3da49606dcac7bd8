"""The reading half: all that an enclave may have of storage.

SECURITY: storage is trusted with nothing. It may lose, alter, roll back or swap objects; whoever reads checks
digest and length of what it decrypts against the record's manifest.
"""

import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from nebula.protocol.errors import RejectedInputError, UnavailableError

MAX_OBJECT_BYTES = 4 * 1024**3
_NAME = re.compile(r"\A[0-9a-z][0-9a-z._-]{0,127}\Z")


class ReadableStorage(Protocol):
    """Objects by name."""

    def get(self, name: str, *, max_bytes: int = MAX_OBJECT_BYTES) -> bytes:
        """Return an object's bytes.

        Raises:
            UnavailableError: it is not there (now), or cannot be read.
            RejectedInputError: it is larger than ``max_bytes``.
        """
        ...

    def get_range(self, name: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start`` (0-based); fewer at the object's end."""
        ...

    def size_bytes(self, name: str) -> int:
        """Return an object's size."""
        ...


def parse_location(location: str) -> tuple[str, str]:
    """Split a location into its storage's URL and the object's name: ``file:///folder#name``.

    Raises:
        RejectedInputError: another form.
    """
    url, separator, name = location.rpartition("#")
    if not separator:
        raise RejectedInputError("storage.location", "a location is a storage's URL, '#' and an object's name")
    return url, check_name(name)


def check_name(name: str) -> str:
    """Return an object's name after making sure that it can be no path.

    Raises:
        RejectedInputError: it is none.
    """
    if not _NAME.match(name):
        raise RejectedInputError(
            "storage.name", "an object's name has 1 to 128 lower-case letters, digits, dots, dashes, underscores"
        )
    return name


def folder_of(url: str) -> Path:
    """Return the folder behind a ``file://`` URL.

    Raises:
        RejectedInputError: another kind of storage, or a relative path.
    """
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc or not path.is_absolute():
        raise RejectedInputError(
            "storage.url",
            f"{parts.scheme or 'this'} storage is not supported",
            hint="use a folder: file:///absolute/path",
        )
    return path


class LocalReader:
    """Objects as files of one folder, for reading."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str, *, max_bytes: int = MAX_OBJECT_BYTES) -> bytes:
        """See :class:`ReadableStorage`."""
        try:
            with self.path_of(name).open("rb") as file:
                content = file.read(max_bytes + 1)
        except OSError as error:
            raise away(name, error) from error
        if len(content) > max_bytes:
            raise RejectedInputError("storage.too-large", f"object {name} is larger than {max_bytes:,} bytes")
        return content

    def get_range(self, name: str, start: int, length: int) -> bytes:
        """See :class:`ReadableStorage`."""
        if start < 0 or length < 0:
            raise RejectedInputError("storage.range", "a range starts at 0 or later and is not negative")
        try:
            with self.path_of(name).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except OSError as error:
            raise away(name, error) from error

    def size_bytes(self, name: str) -> int:
        """See :class:`ReadableStorage`."""
        try:
            return self.path_of(name).stat().st_size
        except OSError as error:
            raise away(name, error) from error

    def path_of(self, name: str) -> Path:
        """Return where an object lies: two letters of its name make a folder, so that no folder grows too large."""
        checked = check_name(name)
        return self.folder / checked[:2] / checked


def away(name: str, error: OSError) -> UnavailableError:
    """Return the error for an object that cannot be read now."""
    if isinstance(error, FileNotFoundError):
        return UnavailableError("storage.missing", f"object {name} is not there")
    return UnavailableError("storage.away", f"object {name} cannot be read: {error.strerror or error}")


def open_for_reading(url: str) -> ReadableStorage:
    """Open a storage by its URL, for reading.

    Raises:
        RejectedInputError: a kind of storage that is not supported.
    """
    return LocalReader(folder_of(url))
