"""Columns of strings of which few are different, as alleles are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Strings as Arrow's dictionaries hold them: each one's number, and the different ones end to end.

    Attributes:
        numbers: of each string (strings,).
        content: bytes of the different strings, each of which is the string of a row.
        offsets: into ``content``, from 0 to its length, one more than there are different ones.
    """

    numbers: NDArray[np.int32]
    content: NDArray[np.uint8]
    offsets: NDArray[np.int32]

    @classmethod
    def of(cls, strings: list[str]) -> Texts:
        """Number strings."""
        encoded = [string.encode("ascii") for string in strings]
        offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
        return cls(*_native.number_texts(np.frombuffer(b"".join(encoded), np.uint8), offsets))

    @classmethod
    def of_letters(cls, letters: NDArray[np.uint8]) -> Texts:
        """Strings of one letter each."""
        every = cls(letters.astype(np.int32), np.arange(256, dtype=np.uint8), np.arange(257, dtype=np.int32))
        return every.without_unused()

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> str:
        number = self.numbers[index]
        return self.content[self.offsets[number] : self.offsets[number + 1]].tobytes().decode("ascii")

    def take(self, rows: NDArray[np.int64]) -> Texts:
        """Some of them, in the order asked for."""
        return Texts(self.numbers[rows], self.content, self.offsets).without_unused()

    def put(self, rows: NDArray[np.int64], texts: Texts) -> Texts:
        """All of them, those at ``rows`` replaced by others."""
        if not len(rows):
            return self
        content = np.concatenate([self.content, texts.content])
        offsets = np.concatenate([self.offsets, self.offsets[-1] + texts.offsets[1:]])
        new, content, offsets = _native.number_texts(content, offsets)
        numbers = new[self.numbers]
        numbers[rows] = new[len(self.offsets) - 1 + texts.numbers]
        return Texts(numbers, content, offsets).without_unused()

    def columns(self) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32]]:
        """As the core takes them."""
        return self.numbers, self.content, self.offsets

    def lengths(self) -> NDArray[np.int32]:
        """Length of each string."""
        return np.diff(self.offsets)[self.numbers]

    def first_bytes(self) -> NDArray[np.uint8]:
        """First byte of each string; alleles are never empty."""
        return self.content[self.offsets[:-1]][self.numbers]

    def without_unused(self) -> Texts:
        """Without the different ones that no row has any more."""
        used = np.zeros(len(self.offsets) - 1, np.bool_)
        used[self.numbers] = True
        if used.all():
            return self
        sizes = np.diff(self.offsets)
        ends = np.append(np.int32(0), np.cumsum(sizes[used], dtype=np.int32))
        numbers = np.cumsum(used, dtype=np.int32) - 1
        return Texts(numbers[self.numbers], self.content[np.repeat(used, sizes)], ends)
