"""The state database that py-evm sees: committed nodes below, one block's new nodes above."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eth.abc import AtomicWriteBatchAPI
from eth.db.atomic import AtomicDBWriteBatch
from eth.db.backends.base import BaseAtomicDB


class StateOverlay(BaseAtomicDB):
    """Trie nodes and code by hash; writes stay in ``written`` until the block is committed.

    Nodes are never deleted: every past state root stays readable, and a block that fails to commit is
    forgotten by dropping its overlay.
    """

    def __init__(self, read: Callable[[bytes], bytes]) -> None:
        self._read = read
        self.written: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        value = self.written.get(key)
        return self._read(key) if value is None else value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.written[key] = value

    def __delitem__(self, key: bytes) -> None:
        raise KeyError(key)

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    @contextmanager
    def atomic_batch(self) -> Iterator[AtomicWriteBatchAPI]:
        """Collect writes that become visible together."""
        with AtomicDBWriteBatch._commit_unless_raises(self) as batch:  # noqa: SLF001  # py-evm's own idiom
            yield batch
