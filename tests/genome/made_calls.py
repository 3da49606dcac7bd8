"""Calls of which only keys and codes are of interest."""

from collections.abc import Sequence

import numpy as np

from nebula.genome.calls import Calls
from nebula.genome.matrix import PackedMatrix
from nebula.genome.texts import Texts


def calls_of(keys: Sequence[int], codes: Sequence[int] | None = None) -> Calls:
    """One person's calls, of these codes or of none that differs from the reference."""
    rows = len(keys)
    nothing, zeros = np.zeros(0, np.int32), np.zeros((rows, 1), np.uint8)
    packed = zeros if codes is None else np.array(codes, np.uint8).reshape(-1, 1)
    return Calls(
        samples=("A",),
        contigs=["1"],
        filters=["."],
        contig=np.zeros(rows, np.uint16),
        pos=np.ones(rows, np.int32),
        key=np.array(keys, np.uint64),
        reference=Texts.of(["A"] * rows),
        alternate=Texts.of(["C"] * rows),
        filter=np.zeros(rows, np.uint16),
        codes=PackedMatrix(packed, 1),
        forms=PackedMatrix(zeros, 1),
        depth=nothing,
        quality=nothing,
        blocks=np.zeros((0, 5), np.int64),
    )
