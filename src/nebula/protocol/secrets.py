"""Bytes that must never be shown: keys, shares, seeds, pass phrases.

A secret cannot be kept from code that wants it, but it can be kept from an accident: a log line, a traceback,
an f-string, a JSON answer, a pickle on a queue. So the bytes sit behind one method, ``reveal()``, that a
reviewer can search for, and every other way out is closed. Python cannot promise to wipe memory, and this
class does not pretend to.
"""

import hmac
from typing import Never, final

_HIDDEN = "SecretBytes(hidden)"


@final
class SecretBytes:
    """Immutable bytes that show themselves only through :meth:`reveal`.

    Deliberately no dataclass and no msgspec struct: serialisers walk into those by themselves. It is compared
    in constant time, and cannot be hashed, pickled, subclassed or changed.
    """

    __slots__ = ("_value",)
    _value: bytes
    __hash__ = None  # type: ignore[assignment]  # a hash table compares in variable time

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        object.__setattr__(self, "_value", bytes(value))

    def reveal(self) -> bytes:
        """Give the bytes themselves. Keep what you do with them short, and never log it."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretBytes):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __repr__(self) -> str:
        return _HIDDEN

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, format_spec: str) -> str:
        return _HIDDEN

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError("a secret cannot be changed")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError("a secret cannot be changed")

    def __copy__(self) -> "SecretBytes":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "SecretBytes":
        return self

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a secret cannot be serialised")
