"""From many people's vectors to one matrix of variants by samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from nebula.genome.panel import Panel

# People whose vectors are held until they are transposed together: a cache line of every site's row.
BATCH = 256


class Assembly:
    """A matrix that people are added to, one vector at a time.

    Besides the matrix, which takes sites * people / 4 bytes, no more than ``BATCH`` vectors are held at once.
    """

    def __init__(self, panel: Panel, most_people: int) -> None:
        self._sites, self._bytes = panel.sites, panel.vector_bytes
        self._most = most_people
        # Pages are only touched, and so only taken, when people arrive.
        self._packed = np.zeros((self._sites, -(-most_people // 4)), dtype=np.uint8)
        self._waiting: list[NDArray[np.uint8]] = []
        self._placed = 0

    @property
    def people(self) -> int:
        """How many were added."""
        return self._placed + len(self._waiting)

    def add(self, vector: bytes | bytearray | memoryview) -> None:
        """Add a person: ``AnalysisVector.codes``, ceil(sites / 4) bytes. It must not change until ``finish``.

        Raises:
            RejectedInputError: ``record.malformed`` with the number of a vector of another length, or with codes
                behind the last site.
        """
        row = np.frombuffer(vector, np.uint8)
        last = self._sites % 4
        if len(row) != self._bytes or (last and row[-1] >> (2 * last)):
            raise RejectedInputError(
                "record.malformed", f"vector {self.people} does not hold the codes of exactly {self._sites} sites"
            )
        if self.people == self._most:
            raise ValueError(f"this assembly is for {self._most} people")
        self._waiting.append(row)
        if len(self._waiting) == BATCH:
            self._place()

    def finish(self, kept: Sequence[int] | NDArray[np.int64] | None = None) -> PackedMatrix:
        """Return the matrix of everyone, or of those ``kept``, numbered in the order of adding, ascending.

        The assembly gives its memory away, and cannot be used any more.
        """
        self._place()
        people = np.arange(self._placed) if kept is None else np.asarray(kept, dtype=np.int64)
        packed, self._packed = self._packed, np.zeros((0, 0), np.uint8)
        if len(people) < self._most:
            _native.keep_samples(packed, self._most, people)
            width = -(-len(people) // 4)
            packed = packed.reshape(-1)[: self._sites * width].reshape(self._sites, width)
        return PackedMatrix(packed, len(people))

    def _place(self) -> None:
        if self._waiting:
            _native.place(self._waiting, self._sites, self._packed, self._placed)
            self._placed += len(self._waiting)
            self._waiting.clear()


def assemble(
    panel: Panel, vectors: Iterable[bytes | bytearray | memoryview], *, people: int | None = None
) -> PackedMatrix:
    """Transpose packed vectors, one a person, into a matrix in panel order.

    Args:
        panel: whose sites the vectors are of.
        vectors: ``AnalysisVector.codes`` of each person, ceil(sites / 4) bytes each.
        people: how many at most. Given it, vectors may come from an iterator, and are let go batch by batch.

    Returns:
        Shape (sites, people), people in the order given.

    Raises:
        RejectedInputError: ``record.malformed`` with the number of a vector of another length, or with codes
            behind the last site.
    """
    if people is None:
        vectors = list(vectors)
        people = len(vectors)
    assembly = Assembly(panel, people)
    for vector in vectors:
        assembly.add(vector)
    return assembly.finish()
