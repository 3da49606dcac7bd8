"""Bases: their complements, and some of the reference genome, looked up along a file's order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.reference import Reference

_WINDOW_BYTES = 1 << 18
_COMPLEMENTS = np.arange(256, dtype=np.uint8)
_COMPLEMENTS[list(b"ACGT")] = list(b"TGCA")
_TURNED = str.maketrans("ACGT", "TGCA")


def other_strand(allele: str) -> str:
    """The other strand's spelling of an upper-case allele, read in the same direction as the genome."""
    return allele.translate(_TURNED)[::-1]


def complement(letters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Letters as they read on the other strand; what is none of A, C, G, T stays."""
    found: NDArray[np.uint8] = _COMPLEMENTS[letters]
    return found


def reverse_complement(alleles: Texts) -> Texts:
    """Alleles as they read on the other strand."""
    starts, ends = alleles.offsets[:-1], alleles.offsets[1:]
    backwards = np.repeat(starts.astype(np.int64) + ends - 1, ends - starts) - np.arange(alleles.offsets[-1])
    return Texts(alleles.numbers, complement(alleles.content[backwards]), alleles.offsets)


class Bases:
    """A window of the reference genome that follows whoever asks."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._contig = ""
        self._start, self._bases = 0, b""

    def at(self, contig: str, pos: int, length: int) -> str | None:
        """Bases from a 1-based position on, upper case; None where the genome lacks the contig.

        Fewer than asked for where the contig ends.
        """
        layout = self._reference.layout(contig)
        if layout is None:
            return None
        start, end = pos - 1, min(pos - 1 + length, layout[0])
        if contig != self._contig or start < self._start or end > self._start + len(self._bases):
            self._move(contig, start, end, layout)
        return self._bases[start - self._start : max(0, end - self._start)].decode("latin-1").upper()

    def _move(self, contig: str, start: int, end: int, layout: tuple[int, int, int]) -> None:
        bases, per_line, bytes_per_line = layout
        if not bases or start >= bases:
            self._contig, self._start, self._bases = contig, start, b""
            return
        first, last = start // per_line, (end - 1) // per_line + 1
        count = max(last - first, _WINDOW_BYTES // bytes_per_line, 1)
        raw = bytes(self._reference.lines(contig, first, count))
        self._contig, self._start = contig, first * per_line
        self._bases = raw.replace(b"\n", b"").replace(b"\r", b"")
