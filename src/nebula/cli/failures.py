"""What went wrong, as people can act on it: a full disk, a folder that is another's, a network that is down."""

import errno
from pathlib import Path

from nebula.localnet.supervisor import running
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PLACE = frozenset(
    {
        errno.ENOENT,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.ELOOP,
    }
)


def failure_of(error: OSError) -> NebulaError | None:
    """Return what a person can do about a failure; None where it says nothing about a file, and so may be a bug."""
    where = error.filename2 or error.filename
    said = f"{where}: {error.strerror}" if where else error.strerror or str(error)
    if error.errno in _FULL:
        return UnavailableError("cli.full", said, hint="make room, and do it again: nothing that was done is lost")
    if error.errno in _PLACE and where:
        return RejectedInputError("cli.place", said, hint="name another place, or see who may write to this one")
    return None


def as_of_network(error: NebulaError, folder: Path | None) -> NebulaError:
    """Return an error with a better hint where a network of this machine does not answer because it is down.

    Args:
        folder: the network that the command is about, if it is about one.
    """
    if not isinstance(error, UnavailableError) or not error.code.endswith(".away"):
        return error
    if folder is None or not (folder / "network.json").exists() or running(folder) is not None:
        return error
    return UnavailableError(error.code, error.message, hint=f"the network in {folder} is down: `nebula up` starts it")
