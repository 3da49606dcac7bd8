"""The reference genome: check REF against it, and shift insertions and deletions to the left.

Without it, alleles are trimmed but an insertion or deletion inside a repeat stays where the file puts it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome.chromosomes import chromosome_code
from nebula.genome.vcf.reader import Texts, VariantBatch
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

_LONGEST_CHROMOSOME = 1 << 28


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Chromosomes by VariantKey code, as upper-case ASCII."""

    chromosomes: dict[int, bytes]

    def standardise(self, batch: VariantBatch, contigs: list[str], *, name: str) -> VariantBatch:
        """Check every REF and left-align every insertion and deletion (Tan et al. 2015).

        Raises:
            RejectedInputError: ``vcf.reference`` with the line whose REF is not what the reference has.
        """
        codes = np.array([chromosome_code(contig) for contig in contigs], np.int64)[batch.contig]
        for code in np.unique(codes):
            if sequence := self.chromosomes.get(int(code)):
                self._check(batch, np.flatnonzero(codes == code), sequence, name)
        lengths = batch.reference.lengths() != batch.alternate.lengths()
        moved = {}
        for row in np.flatnonzero(lengths & (codes > 0)).tolist():
            if sequence := self.chromosomes.get(int(codes[row])):
                variant = int(batch.pos[row]), batch.reference[row], batch.alternate[row]
                shifted = left_align(sequence, *variant)
                if shifted != variant:
                    moved[row] = shifted
        return _with(batch, codes, moved) if moved else batch

    def _check(self, batch: VariantBatch, rows: NDArray[np.intp], sequence: bytes, name: str) -> None:
        lengths = batch.reference.lengths()[rows]
        start = batch.pos[rows].astype(np.int64) - 1
        wrong = (start < 0) | (start + lengths > len(sequence))
        letters = np.frombuffer(sequence, np.uint8)
        inside = np.flatnonzero(~wrong)
        first = batch.reference.first_bytes()[rows]
        wrong[inside] = letters[start[inside]] != first[inside]
        for index in np.flatnonzero((lengths > 1) & ~wrong).tolist():
            allele = batch.reference[int(rows[index])].encode()
            wrong[index] = sequence[start[index] : start[index] + len(allele)] != allele
        if not wrong.any():
            return
        index = int(np.flatnonzero(wrong)[0])
        row = int(rows[index])
        found = sequence[max(start[index], 0) : start[index] + int(lengths[index])].decode("ascii") or "nothing"
        raise RejectedInputError(
            "vcf.reference",
            f"{name}, line {batch.line[row]}, REF: {batch.reference[row][:40]!r} at {batch.pos[row]}, where the"
            f" reference has {found[:40]!r}",
            hint="the file was made on another assembly or another reference: give the one it was made on",
        )


def left_align(sequence: bytes, pos: int, reference: str, alternate: str) -> tuple[int, str, str]:
    """Shift a variant as far to the left as it stays the same change; 1-based position."""
    while reference[-1] == alternate[-1]:
        if min(len(reference), len(alternate)) == 1:
            if pos == 1:
                break
            pos -= 1
            base = chr(sequence[pos - 1])
            reference, alternate = base + reference, base + alternate
        reference, alternate = reference[:-1], alternate[:-1]
    while min(len(reference), len(alternate)) > 1 and reference[0] == alternate[0]:
        pos, reference, alternate = pos + 1, reference[1:], alternate[1:]
    return pos, reference, alternate


def _with(batch: VariantBatch, codes: NDArray[np.int64], moved: dict[int, tuple[int, str, str]]) -> VariantBatch:
    pos, key = batch.pos.copy(), batch.key.copy()
    for row, (where, reference, alternate) in moved.items():
        pos[row] = where
        key[row] = _native.variant_key(int(codes[row]), where, reference.encode(), alternate.encode())
    references = _replaced(batch.reference, {row: alleles[1] for row, alleles in moved.items()})
    alternates = _replaced(batch.alternate, {row: alleles[2] for row, alleles in moved.items()})
    return replace(batch, pos=pos, key=key, reference=references, alternate=alternates)


def _replaced(texts: Texts, changes: dict[int, str]) -> Texts:
    return Texts.of([changes.get(row, texts[row]) for row in range(len(texts))])


def read_fasta(source: Source) -> Reference:
    """Read the chromosomes of a FASTA file, plain or compressed; other contigs are left out.

    A whole human genome takes 3 GB of memory.

    Raises:
        RejectedInputError: ``fasta.malformed``.
    """
    chromosomes: dict[int, bytearray] = {}
    current: bytearray | None = None
    begun = False
    rest = b""
    for piece in source.pieces():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            begun, current = _step(source, line, begun, current, chromosomes)
        if len(rest) > _LONGEST_CHROMOSOME:
            source.refuse("malformed", "a line is longer than any chromosome")
    _step(source, rest, begun, current, chromosomes)
    return Reference({code: bytes(sequence) for code, sequence in chromosomes.items()})


def _step(
    source: Source, line: bytes, begun: bool, current: bytearray | None, chromosomes: dict[int, bytearray]
) -> tuple[bool, bytearray | None]:
    line = line.strip()
    if line.startswith(b">"):
        words = line[1:].split()
        code = chromosome_code(words[0].decode("latin-1")) if words else 0
        if code in chromosomes:
            source.refuse("malformed", f"the sequence {words[0]!r} stands twice")
        return True, chromosomes.setdefault(code, bytearray()) if code else None
    if line and not begun:
        source.refuse("malformed", "the file does not begin with '>'")
    if current is not None:
        current += line.upper()
        if not line.isalpha() and line:
            source.refuse("malformed", "a sequence has something else than letters")
    return begun, current
