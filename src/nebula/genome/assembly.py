"""From many people's vectors to one matrix of variants by samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nebula.genome.panel import Panel


def assemble(panel: Panel, vectors: Iterable[bytes | bytearray | memoryview]) -> PackedMatrix:
    """Transpose packed vectors, one a person, into a matrix in panel order.

    Args:
        panel: whose sites the vectors are of.
        vectors: ``AnalysisVector.codes`` of each person, ceil(sites / 4) bytes each. They are not copied
            before the transpose: together with the result they are all the memory that is needed.

    Returns:
        Shape (sites, people), people in the order given.

    Raises:
        RejectedInputError: ``record.malformed`` with the number of a vector of another length, or with codes
            behind the last site.
    """
    rows = []
    for number, vector in enumerate(vectors):
        row = np.frombuffer(vector, np.uint8)
        if len(row) != panel.vector_bytes or (panel.sites % 4 and row[-1] >> (2 * (panel.sites % 4))):
            raise RejectedInputError(
                "record.malformed", f"vector {number} does not hold the codes of exactly {panel.sites} sites"
            )
        rows.append(row)
    return PackedMatrix(_native.transpose(rows, panel.sites), len(rows))
