"""Columns of strings, end to end as Arrow holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Strings end to end, as Arrow holds them: the bytes, and n + 1 offsets into them."""

    content: NDArray[np.uint8]
    offsets: NDArray[np.int32]

    @classmethod
    def of(cls, strings: list[str]) -> Texts:
        """Put strings end to end."""
        encoded = [string.encode("ascii") for string in strings]
        offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    @classmethod
    def join(cls, parts: list[Texts]) -> Texts:
        """Several of them as one."""
        offsets = np.zeros(1 + sum(map(len, parts)), np.int32)
        end = 0
        for part in parts:
            begin, end = end, end + len(part)
            np.add(part.offsets[1:], offsets[begin], out=offsets[begin + 1 : end + 1])
        return cls(np.concatenate([part.content for part in parts]), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        start, end = self.offsets[index], self.offsets[index + 1]
        return self.content[start:end].tobytes().decode("ascii")

    def take(self, rows: NDArray[np.int64]) -> Texts:
        """Some of them, in the order asked for."""
        sizes = self.lengths()[rows]
        offsets = np.zeros(len(rows) + 1, np.int32)
        np.cumsum(sizes, out=offsets[1:])
        # Each byte's place: where its string begins here, and how far behind the beginning of its new one it stands.
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], sizes)
        return Texts(self.content[places], offsets)

    def put(self, rows: NDArray[np.int64], texts: Texts) -> Texts:
        """All of them, those at ``rows`` replaced by others."""
        if not len(rows):
            return self
        order = np.arange(len(self))
        order[rows] = len(self) + np.arange(len(rows))
        return Texts.join([self, texts]).take(order)

    def lengths(self) -> NDArray[np.int32]:
        """Length of each string."""
        return np.diff(self.offsets)

    def first_bytes(self) -> NDArray[np.uint8]:
        """First byte of each string; alleles are never empty."""
        return self.content[self.offsets[:-1]]
