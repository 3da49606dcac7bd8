"""A folder: objects are files, written beside their place, made durable, then moved into it.

(1) The content goes to a file of its own in ``.incoming``, under a shared lock; (2) that file is synced; (3) it is
linked to its name, which never replaces what is there; (4) the folder is synced. Killed before (3), nothing is there
under the name, and whoever next opens the folder while nobody writes takes the leftover away; killed after it, the
object is whole.
"""

import errno
import fcntl
import filecmp
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from nebula.protocol.errors import IntegrityError, UnavailableError
from nebula.storage.reading import LocalReader, check_name

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalStorage(LocalReader):
    """A folder on a disk of the owner's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.absolute())
        self.url = self.folder.as_uri()
        self._incoming = self.folder / ".incoming"
        _sweep(self._incoming)

    def put(self, name: str, content: bytes | BinaryIO) -> str:
        """See :class:`nebula.storage.writing.Storage`."""
        path = self.path_of(name)
        try:
            with self._written(content) as temporary:
                _make_folder(path.parent)
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    if not filecmp.cmp(temporary, path, shallow=False):
                        raise IntegrityError(
                            "storage.exists", f"object {name} is there already, with other content"
                        ) from None
                _sync_folder(path.parent)
        except OSError as error:
            raise _not_written(name, error) from error
        return f"{self.url}#{name}"

    @contextmanager
    def _written(self, content: bytes | BinaryIO) -> Iterator[Path]:
        """Give a durable file with this content, which goes away again at the end."""
        _make_folder(self._incoming)
        temporary = self._incoming / secrets.token_hex(16)
        try:
            with _locked(self._incoming, fcntl.LOCK_SH), temporary.open("xb") as file:
                shutil.copyfileobj(BytesIO(content) if isinstance(content, bytes) else content, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
                yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """See :class:`nebula.storage.writing.Storage`."""
        try:
            self.path_of(name).unlink(missing_ok=True)
        except OSError as error:
            raise _not_written(name, error) from error

    def names(self, *, after: str = "", limit: int = 1000) -> list[str]:
        """See :class:`nebula.storage.writing.Storage`."""
        if not self.folder.is_dir():
            return []
        shelves = sorted(
            shelf.name
            for shelf in self.folder.iterdir()
            if shelf.is_dir() and shelf.name != ".incoming" and shelf.name >= after[:2]
        )
        found = (
            name
            for shelf in shelves
            for name in sorted(os.listdir(self.folder / shelf))  # noqa: PTH208 - names, not paths
            if name > after
        )
        return [check_name(name) for name in islice(found, limit)]


def _sweep(incoming: Path) -> None:
    """Remove what killed writers left: their locks died with them. While anyone writes, nothing is removed."""
    try:
        with _locked(incoming, fcntl.LOCK_EX | fcntl.LOCK_NB):
            for leftover in incoming.iterdir():
                leftover.unlink(missing_ok=True)
    except OSError:  # there is none, or someone writes, or it is not ours to clean: the next one will
        return


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    """Make a folder, durably, with those above it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_written(name: str, error: OSError) -> UnavailableError:
    if error.errno in _FULL:
        return UnavailableError(
            "storage.full", f"the disk is full: object {name} was not written", hint="free some space, then try again"
        )
    return UnavailableError("storage.away", f"object {name} was not written: {error.strerror or error}")
