"""Files that are there whole or not at all, whatever is killed or loses its power meanwhile."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_ANYONE = 0o666  # less what the process's umask takes away


@contextmanager
def new_file(path: Path, *, mode: int = _ANYONE) -> Iterator[BinaryIO]:
    """Give a file to write and read, which gets its name when it is whole.

    Raises:
        FileExistsError: there is one of that name; it stays as it is.
        OSError: it cannot be written; nothing is there.
    """
    temporary = _beside(path)
    try:
        with _durable(temporary, mode) as file:
            yield file
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_name(path)


def write_new(path: Path, content: bytes, *, mode: int = _ANYONE) -> None:
    """Write a file that is not there yet. Raises as :func:`new_file`."""
    with new_file(path, mode=mode) as file:
        file.write(content)


def replace_file(path: Path, content: bytes, *, mode: int = _ANYONE) -> None:
    """Write a file, in place of the one that may be there.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    temporary = _beside(path)
    try:
        with _durable(temporary, mode) as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_name(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(8)}.partial")


@contextmanager
def _durable(path: Path, mode: int) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode), "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sync_name(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
