"""Genotypes of a ``.pgen``, read by PLINK's own library.

It is under the LGPL and comes with an extra of its own, ``pip install 'nebula-network[pgen]'``; nothing else needs it.
Of what a ``.pgen`` can hold beyond hard calls, phase and dosages, nothing is read.

Format: https://github.com/chrchang/plink-ng/blob/master/pgen_spec/pgen_spec.pdf.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nebula import _native
from nebula.genome.matrix import PackedMatrix
from nebula.genome.plink.files import MAGIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

T = TypeVar("T")

_FIRST_MODE = 2
_PIECE_BYTES = 1 << 26
_AGAIN = "the .pvar or .psam is another set's, or the .pgen is damaged; copy all three again"


def is_pgen(source: Source) -> bool:
    """Whether a file of genotypes is PLINK 2's, by its first three bytes."""
    header = source.file.read(len(MAGIC) + 1)
    source.file.seek(0)
    return header[:2] == MAGIC and header[2:] >= bytes([_FIRST_MODE])


class Pgen:
    """An open ``.pgen`` of so many people.

    Args:
        source: the open file; it has a descriptor, and stays open for as long as this is used.
        alleles: how many each of its sites has, shape (sites,).
        people: how many.

    Raises:
        RejectedInputError: ``plink.pgen``: it is damaged, of another size, or the library is not installed.
    """

    format_name = "PLINK 2 binary"

    def __init__(self, source: Source, *, alleles: NDArray[np.int64], people: int) -> None:
        self._source, self._people = source, people
        try:
            from pgenlib import PgenReader  # noqa: PLC0415 - an extra
        except ImportError:
            source.refuse(
                "pgen",
                "it is of PLINK 2, and the library that reads its files is not installed",
                hint="`pip install 'nebula-network[pgen]'` (LGPL-3.0), or `plink2 --pfile NAME --make-bed --out NAME`",
            )
        offsets = np.concatenate([[0], np.cumsum(alleles)]).astype(np.uintp)
        # The library opens files itself. Through the descriptor it gets the very file that is open, whatever its name
        # has become.
        path = f"/dev/fd/{_descriptor(source)}".encode()
        self._reader: Any = self._unless_damaged(
            lambda: PgenReader(path, people, variant_ct=len(alleles), allele_idx_offsets=offsets)
        )

    def read(self, rows: NDArray[np.int64], *, a1_is_reference: NDArray[np.bool_]) -> PackedMatrix:
        """Read sites of two alleles.

        Args:
            rows: which sites, ascending (rows,).
            a1_is_reference: of each of them, whether what the file calls ALT is REF.

        Returns:
            Copies of ALT, shape (rows, people).

        Raises:
            RejectedInputError: ``plink.pgen``.
        """
        packed = np.empty((len(rows), -(-self._people // 4)), np.uint8)
        per_piece = max(1, _PIECE_BYTES // self._people)
        for start in range(0, len(rows), per_piece):
            some = slice(start, start + per_piece)
            packed[some] = _native.pack(self._dosage(rows[some], a1_is_reference[some]))
            self._tell_progress(min(start + per_piece, len(rows)) / len(rows))
        return PackedMatrix(packed, self._people)

    def _dosage(self, rows: NDArray[np.int64], swapped: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Copies of ALT, negative where missing, shape (rows, people)."""
        dosage = np.empty((len(rows), self._people), np.int8)
        self._unless_damaged(lambda: self._reader.read_list(rows.astype(np.uint32), dosage))
        called = dosage >= 0
        np.subtract(np.int8(2), dosage, out=dosage, where=called & swapped[:, None])
        return dosage

    def _unless_damaged(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except RuntimeError as error:
            self._source.refuse("pgen", f"PLINK's library cannot read it: {_said(error)}", hint=_AGAIN)

    def _tell_progress(self, share: float) -> None:
        if self._source.progress is not None:
            size = self._source.file.seek(0, os.SEEK_END)
            self._source.progress(int(size * share))


def _descriptor(source: Source) -> int:
    try:
        return source.file.fileno()
    except OSError:  # what is in memory has none
        source.refuse("pgen", "PLINK's library reads files on a disk alone", hint="give it as a file")


def _said(error: RuntimeError) -> str:
    """What the library says, which are bytes, in one line."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split())
