"""A folder: objects are files, written beside their place, made durable, then moved into it."""

import errno
import os
import secrets
from itertools import islice
from pathlib import Path

from nebula.protocol.errors import IntegrityError, UnavailableError
from nebula.storage.reading import LocalReader, check_name

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalStorage(LocalReader):
    """A folder on a disk of the owner's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.absolute())
        self.url = self.folder.as_uri()

    def put(self, name: str, content: bytes) -> str:
        """See :class:`nebula.storage.writing.Storage`."""
        path = self.path_of(name)
        temporary = path.parent / f".{name}.{secrets.token_hex(8)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write_durably(temporary, content)
                os.link(temporary, path)  # unlike a rename, this never replaces what is there
                _sync_folder(path.parent)
            except FileExistsError:
                if path.read_bytes() != content:
                    raise IntegrityError(
                        "storage.exists", f"object {name} is there already, with other content"
                    ) from None
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise _not_written(name, error) from error
        return f"{self.url}#{name}"

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
        shelves = sorted(shelf.name for shelf in self.folder.iterdir() if shelf.is_dir() and shelf.name >= after[:2])
        found = (
            name
            for shelf in shelves
            for name in sorted(os.listdir(self.folder / shelf))  # noqa: PTH208 - names, not paths
            if name > after and not name.startswith(".")
        )
        return [check_name(name) for name in islice(found, limit)]


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


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
