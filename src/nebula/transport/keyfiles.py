"""A party's secret keys on its own disk: 64 hex digits a file, readable by the party alone."""

import stat
from pathlib import Path

from nebula.files import write_new
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.secrets import SecretBytes

_KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def save_key(path: Path, key: SecretBytes) -> None:
    """Write a key into a new file of mode 0600.

    Raises:
        RejectedInputError: the file is there already; a key is never replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_new(path, f"{key.reveal().hex()}\n".encode("ascii"), mode=0o600)
    except FileExistsError as error:
        raise RejectedInputError("keys.exists", f"there is a key in {path} already") from error


def load_key(path: Path) -> SecretBytes:
    """Read a key, if nobody else could.

    Raises:
        RejectedInputError: it is missing, no key, or others may read the file.
    """
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise RejectedInputError("keys.missing", f"the key {path} cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise RejectedInputError(
            "keys.readable", f"others may read the key {path}", hint=f"make it yours alone: chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise RejectedInputError("keys.form", f"{path} does not hold a key of {2 * _KEY_BYTES} hex digits")
    return SecretBytes(key)
