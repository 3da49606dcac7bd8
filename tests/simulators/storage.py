"""Storage in memory, and storage that lies: it loses, alters, cuts, rolls back and swaps what it keeps."""

from typing import TYPE_CHECKING, BinaryIO

from nebula.protocol.errors import IntegrityError, RejectedInputError, UnavailableError
from nebula.storage import Storage
from nebula.storage.reading import MAX_OBJECT_BYTES, check_name

if TYPE_CHECKING:
    from collections.abc import Callable


class MemoryStorage:
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.url = "memory:"
        self._objects: dict[str, bytes] = {}

    def put(self, name: str, content: bytes | BinaryIO) -> str:
        raw = content if isinstance(content, bytes) else content.read()
        if self._objects.setdefault(check_name(name), raw) != raw:
            raise IntegrityError("storage.exists", f"object {name} is there already, with other content")
        return f"{self.url}#{name}"

    def get(self, name: str, *, max_bytes: int = MAX_OBJECT_BYTES) -> bytes:
        raw = self._objects.get(check_name(name))
        if raw is None:
            raise UnavailableError("storage.missing", f"object {name} is not there")
        if len(raw) > max_bytes:
            raise RejectedInputError("storage.too-large", f"object {name} is larger than {max_bytes:,} bytes")
        return raw

    def get_range(self, name: str, start: int, length: int) -> bytes:
        if start < 0 or length < 0:
            raise RejectedInputError("storage.range", "a range starts at 0 or later and is not negative")
        return self.get(name)[start : start + length]

    def size_bytes(self, name: str) -> int:
        return len(self.get(name))

    def delete(self, name: str) -> None:
        self._objects.pop(check_name(name), None)

    def names(self, *, after: str = "", limit: int = 1000) -> list[str]:
        return sorted(name for name in self._objects if name > after)[:limit]


class MisbehavingStorage:
    """Any storage, in front of which a liar sits. Honest until told otherwise."""

    def __init__(self, inner: Storage) -> None:
        self._inner = inner
        self._lies: dict[str, Callable[[], bytes]] = {}
        self._down = False
        self.url = inner.url

    def lose(self, name: str) -> None:
        """Say that an object is gone."""

        def gone() -> bytes:
            raise UnavailableError("storage.missing", f"object {name} is not there")

        self._lies[name] = gone

    def alter(self, name: str, at: int) -> None:
        """Flip a bit of the byte at a position, which may count from the end."""
        raw = bytearray(self._inner.get(name))
        raw[at] ^= 1
        self._lies[name] = lambda: bytes(raw)

    def cut(self, name: str, length: int) -> None:
        """Keep only the first bytes of an object."""
        self._lies[name] = lambda: self._inner.get(name)[:length]

    def roll_back(self, name: str, earlier: bytes) -> None:
        """Serve what stood there, or elsewhere, before."""
        self._lies[name] = lambda: earlier

    def swap(self, one: str, other: str) -> None:
        """Serve each of two objects for the other."""
        self._lies[one] = lambda: self._inner.get(other)
        self._lies[other] = lambda: self._inner.get(one)

    def go_down(self) -> None:
        """Answer nothing any more."""
        self._down = True

    def recover(self) -> None:
        """Be honest and there again."""
        self._lies.clear()
        self._down = False

    def get(self, name: str, *, max_bytes: int = MAX_OBJECT_BYTES) -> bytes:
        self._answer()
        return self._lies[name]() if name in self._lies else self._inner.get(name, max_bytes=max_bytes)

    def get_range(self, name: str, start: int, length: int) -> bytes:
        self._answer()
        if name in self._lies:
            return self._lies[name]()[start : start + length]
        return self._inner.get_range(name, start, length)

    def size_bytes(self, name: str) -> int:
        self._answer()
        return len(self._lies[name]()) if name in self._lies else self._inner.size_bytes(name)

    def put(self, name: str, content: bytes | BinaryIO) -> str:
        self._answer()
        return self._inner.put(name, content)

    def delete(self, name: str) -> None:
        self._answer()
        self._inner.delete(name)

    def names(self, *, after: str = "", limit: int = 1000) -> list[str]:
        self._answer()
        return self._inner.names(after=after, limit=limit)

    def _answer(self) -> None:
        if self._down:
            raise UnavailableError("storage.away", "the storage does not answer")
