"""Genotypes of a ``.bed``: two bits each, all people of a site together, as our own matrices have them.

PLINK's codes are 00 two copies of A1, 01 missing, 10 one of each, 11 two of A2; ours count copies of ALT. Four of
the former become four of the latter by one look into a table of 256 bytes.
"""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.matrix import PackedMatrix
from nebula.genome.plink.files import MAGIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

_PERSON_MAJOR = 0
_HEADER_BYTES = 3
_PIECE_BYTES = 1 << 24


def _table(codes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    four = np.arange(256, dtype=np.uint8)[:, None] >> np.array([0, 2, 4, 6], np.uint8) & 3
    ours = np.array(codes, np.uint8)[four] << np.array([0, 2, 4, 6], np.uint8)
    table: NDArray[np.uint8] = np.bitwise_or.reduce(ours, axis=1)
    return table


_IF_A1_IS_REFERENCE = _table((0, 3, 1, 2))
_IF_A2_IS_REFERENCE = _table((2, 3, 1, 0))


class Bed:
    """An open ``.bed`` of so many sites and people.

    Args:
        source: the open file; it stays open for as long as this is used.
        sites: how many the set has.
        people: how many.

    Raises:
        RejectedInputError: ``plink.magic``, ``plink.person-major``, ``plink.size``, before anything is made for it.
    """

    format_name = "PLINK 1 binary"

    def __init__(self, source: Source, *, sites: int, people: int) -> None:
        self._source, self._people = source, people
        _check_header(source)
        expected = _HEADER_BYTES + sites * -(-people // 4)
        found = source.file.seek(0, os.SEEK_END)
        if found != expected:
            source.refuse(
                "size",
                f"it has {found:,} bytes, and {sites:,} sites of {people:,} people make {expected:,}",
                hint="the .bed is cut off, or the .bim or .fam is another set's; copy all three again",
            )

    def read(self, rows: NDArray[np.int64], *, a1_is_reference: NDArray[np.bool_]) -> PackedMatrix:
        """Read some sites.

        Args:
            rows: which sites, ascending (rows,).
            a1_is_reference: of each of them.

        Returns:
            Copies of ALT, shape (rows, people).

        Raises:
            RejectedInputError: ``plink.padding``; bits behind the last person are set.
        """
        source, people = self._source, self._people
        width = -(-people // 4)
        packed = np.empty((len(rows), width), np.uint8)
        per_piece = max(1, _PIECE_BYTES // width)
        ends = np.searchsorted(rows, np.arange(per_piece, int(rows[-1]) + per_piece + 1, per_piece)).tolist()
        for start, end in pairwise([0, *ends]):
            if start == end:
                continue
            raw = _rows(source, rows[start:end], width)
            _check_padding(source, rows[start:end], raw, people)
            swapped = a1_is_reference[start:end, None]
            packed[start:end] = np.where(swapped, _IF_A1_IS_REFERENCE[raw], _IF_A2_IS_REFERENCE[raw])
            if source.progress is not None:
                source.progress(source.file.tell())
        if used := people % 4:
            packed[:, -1] &= (1 << (2 * used)) - 1
        return PackedMatrix(packed, people)


def _check_header(source: Source) -> None:
    header = source.file.read(_HEADER_BYTES)
    if header[:2] != MAGIC or len(header) < _HEADER_BYTES:
        source.refuse(
            "magic",
            f"at offset 0 stands {header.hex() or 'nothing'}, and PLINK's .bed begins with 6c1b01, its .pgen with 6c1b",
            hint="copy the file again; a .bed of intervals has no genotypes",
        )
    if header[2] == _PERSON_MAJOR:
        source.refuse(
            "person-major",
            "at offset 2 stands 00: it is written person by person, as PLINK before 1.07 did; 01 is expected",
            hint="`plink --bfile NAME --make-bed --out NEW` (PLINK 1.9) writes it site by site",
        )


def _check_padding(source: Source, rows: NDArray[np.int64], raw: NDArray[np.uint8], people: int) -> None:
    used = people % 4
    bad = np.flatnonzero(raw[:, -1] >> (2 * used)) if used else rows[:0]
    if len(bad):
        offset = _HEADER_BYTES + (int(rows[bad[0]]) + 1) * raw.shape[1] - 1
        source.refuse(
            "padding",
            f"at offset {offset} bits are set behind the last of {people:,} people",
            hint="the .fam is another set's, or the .bed is damaged",
        )


def _rows(source: Source, rows: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Raw bytes of some sites (rows, width), read in one stretch from the first to the last."""
    first, last = int(rows[0]), int(rows[-1])
    source.file.seek(_HEADER_BYTES + first * width)
    wanted = (last - first + 1) * width
    raw = source.file.read(wanted)
    if len(raw) != wanted:
        source.refuse("size", "it became shorter while it was read", hint="let nothing write to it")
    return np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(-1, width)[rows - first])
