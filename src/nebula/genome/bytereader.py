"""Take a hostile byte string apart from front to back."""

from __future__ import annotations

from nebula.protocol.errors import RejectedInputError


class ByteReader:
    """Reads fields in order; anything short, long or unexpected is refused.

    SECURITY: the bytes may come from an attacker. A length is checked before anything is taken or allocated.
    """

    def __init__(self, raw: bytes, code: str, name: str) -> None:
        self._view = memoryview(raw)
        self._code = code
        self._name = name
        self._place = 0

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes."""
        if length > len(self._view) - self._place:
            raise RejectedInputError(self._code, f"{self._name} ends too early, at byte {len(self._view)}")
        start, self._place = self._place, self._place + length
        return bytes(self._view[start : self._place])

    def number(self, width: int) -> int:
        """An unsigned little-endian integer of ``width`` bytes."""
        return int.from_bytes(self.take(width), "little")

    def text(self) -> str:
        """UTF-8 text with its length, two bytes, before it."""
        try:
            return self.take(self.number(2)).decode("utf-8")
        except UnicodeDecodeError:
            raise RejectedInputError(self._code, f"{self._name} has text that is not UTF-8") from None

    def expect(self, magic: bytes) -> None:
        """These very bytes."""
        if self.take(len(magic)) != magic:
            raise RejectedInputError(self._code, f"{self._name} does not begin with {magic!r}")

    def end(self) -> None:
        """Nothing is left."""
        if self._place != len(self._view):
            rest = len(self._view) - self._place
            raise RejectedInputError(self._code, f"{self._name} has {rest} bytes behind its end")
