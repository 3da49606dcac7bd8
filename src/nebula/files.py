"""Files that are there whole or not at all, whatever is killed or loses its power meanwhile."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ANYONE = 0o666  # less what the process's umask takes away


def write_new(path: Path, content: bytes, *, mode: int = _ANYONE) -> None:
    """Write a file that is not there yet.

    Raises:
        FileExistsError: it is there; it stays as it is.
        OSError: it cannot be written; nothing is there.
    """
    with _written(path, content, mode) as temporary:
        os.link(temporary, path)


def replace_file(path: Path, content: bytes, *, mode: int = _ANYONE) -> None:
    """Write a file, in place of the one that may be there.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    with _written(path, content, mode) as temporary:
        temporary.replace(path)


@contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """Give a durable file beside a path, to be given its name; then make the name durable, too."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
