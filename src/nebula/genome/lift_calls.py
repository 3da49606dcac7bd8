"""Carry calls of a VCF to another assembly by a chain file: what of them means the same there, and no more.

A call is kept only where its REF is known to be the new assembly's, from the panel or the reference genome. In this
order, for each row:

1. all bases of REF must lie in one block of the chain, with the bases around them in the same order: what crosses a
   border of blocks is lost;
2. where the strand turns, substitutions are turned with it (reverse complement); insertions and deletions are lost,
   for they would have to be anchored to another base;
3. REF must be the base that the new assembly has there. Where ALT is it, of a place with one ALT, the two change
   places, and with them the counts; anything else is lost;
4. insertions and deletions need the reference genome, and a repeat that they stand in must lie in the block wholly:
   assemblies differ in the length of repeats, and a chain puts that difference anywhere in them.

Stretches without variants (gVCF) are lost: nothing says that they are the *new* assembly's reference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.bases import Bases
from nebula.genome.chromosomes import MT, NAMES, chromosome_code
from nebula.genome.matrix import PackedMatrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.liftover import Chain
    from nebula.genome.panel import Panel
    from nebula.genome.reference import Reference

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_HAPLOID, _PHASED, _PHASED_SECOND = 1, 2, 3
_NOWHERE = 0


class VcfLift(NamedTuple):
    """What became of a file's variants; each is counted once, as the first thing that stopped it or as carried.

    Attributes:
        carried: have a place and a REF on the new assembly. Of them ``flipped`` are on the other strand, ``swapped``
            have the old ALT as REF, and ``moved`` are on another chromosome.
        unmapped: their place is nowhere on it, or they were off the chromosomes before.
        mitochondrial: on MT, for which files of one assembly used two sequences, and chain files know one.
        crossing: their bases, or the repeat that they stand in, do not lie in one block.
        turned_indels: insertions and deletions where the strand turns.
        other_reference: neither REF nor ALT is what it has there.
        multiallelic: ALT is, of a place with several ALT alleles, or with symbolic ones in the file.
        unproven: neither the panel nor a reference genome says what it has there.
        collided: two variants became one, with different calls.
        blocks: stretches without variants.
    """

    carried: int
    flipped: int
    swapped: int
    moved: int
    unmapped: int
    mitochondrial: int
    crossing: int
    turned_indels: int
    other_reference: int
    multiallelic: int
    unproven: int
    collided: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Ground:
    """What says which base the new assembly has: the panel at its places, the reference genome everywhere."""

    panel: Panel
    reference: Reference | None = None

    def bases(self, chromosome: NDArray[np.uint8], pos: NDArray[np.int32]) -> NDArray[np.uint8]:
        """The base at each 1-based place, as ASCII; 0 where it is not known. Places ascend."""
        if self.reference is not None:
            window = Bases(self.reference)
            read = [
                window.at(NAMES[code], place, 1) for code, place in zip(chromosome.tolist(), pos.tolist(), strict=True)
            ]
            return np.array([ord(base) if base else 0 for base in read], np.uint8)
        rows = self.panel.locate_places(variant_keys.place(chromosome, pos) << np.uint64(variant_keys.ALLELE_BITS))
        keys = self.panel.keys.take(rows, mode="clip")
        spelt = np.frombuffer(b"ACGT", np.uint8).take((keys >> np.uint64(21)).astype(np.uint8) & np.uint8(3))
        first: NDArray[np.uint8] = np.where((rows >= 0) & ~variant_keys.hashed(keys), spelt, np.uint8(0))
        return first


def lift_calls(
    calls: Calls, chain: Chain, panel: Panel, *, reference: Reference | None = None, symbolic: bool = False
) -> tuple[Calls, VcfLift]:
    """Carry calls to the assembly that a chain leads to.

    Args:
        calls: as they were read, without a reference genome.
        chain: from the file's assembly to the panel's.
        panel: on the new assembly.
        reference: the new assembly's genome.
        symbolic: whether the file has alleles that became no row, such as ``*``: where REF and ALT would change
            places, who carries one of those cannot be told from who carries REF.

    Returns:
        The calls there, rows ascending by key, on contigs named like ``NAMES``; and what was lost.
    """
    return _Lifting(calls, chain, Ground(panel, reference), symbolic=symbolic).run()


class _Lifting:
    """One lifting: rows fall out of ``alive`` one rule after the other."""

    def __init__(self, calls: Calls, chain: Chain, ground: Ground, *, symbolic: bool) -> None:
        self._calls, self._chain, self._ground, self._symbolic = calls, chain, ground, symbolic
        codes = np.array([chromosome_code(contig) for contig in calls.contigs], np.uint8)
        self._old = codes[calls.contig] if calls.rows else np.zeros(0, np.uint8)
        self._lengths = calls.reference.lengths().astype(np.int64)
        self._is_indel = self._lengths != calls.alternate.lengths()
        self._lost: dict[str, int] = {}
        self._alive = np.ones(calls.rows, np.bool_)

    def run(self) -> tuple[Calls, VcfLift]:
        first = self._chain.lift(self._old, self._calls.pos)
        self._chromosome, self._flipped = first.chromosome, first.flipped
        self._lose("mitochondrial", self._old == MT)
        self._lose("unmapped", first.chromosome == _NOWHERE)
        self._lose("turned_indels", first.flipped & self._is_indel)
        # An insertion goes in before the next base, which must still be the next one.
        self._lose("crossing", ~self._reaches(self._lengths - 1 + self._is_indel, first.pos))
        self._pos = np.where(first.flipped, first.pos - (self._lengths - 1), first.pos).astype(np.int32)
        self._turn()
        swapped = self._settle_reference()
        return self._collect(swapped)

    def _lose(self, why: str, which: NDArray[np.bool_]) -> None:
        lost = self._alive & which
        self._lost[why] = self._lost.get(why, 0) + int(lost.sum())
        self._alive &= ~which

    def _reaches(self, bases: NDArray[np.int64], start: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether so many bases on, the chain has gone on without a gap."""
        end = self._chain.lift(self._old, self._calls.pos.astype(np.int64) + bases)
        step = np.where(self._flipped, -bases, bases)
        same = (end.chromosome == self._chromosome) & (end.flipped == self._flipped)
        return np.asarray(same & (end.pos == start + step))

    def _turn(self) -> None:
        """Alleles as they read on the new strand; only those that turn are spelt again."""
        self._turned = np.flatnonzero(self._alive & self._flipped)
        self._spelt = {
            row: (_turn(self._calls.reference[row]), _turn(self._calls.alternate[row])) for row in self._turned.tolist()
        }

    def _alleles(self, row: int) -> tuple[str, str]:
        return self._spelt.get(row) or (self._calls.reference[row], self._calls.alternate[row])

    def _settle_reference(self) -> NDArray[np.int64]:
        """Let go what has another REF there; returns the rows whose REF and ALT change places."""
        single = (self._lengths == 1) & ~self._is_indel
        rows = np.flatnonzero(self._alive & single)
        rows = rows[np.lexsort((self._pos[rows], self._chromosome[rows]))]
        there = np.zeros(self._calls.rows, np.uint8)
        there[rows] = self._ground.bases(self._chromosome[rows], self._pos[rows])
        reference, alternate = self._calls.reference.first_bytes().copy(), self._calls.alternate.first_bytes().copy()
        for row, (one, other) in self._spelt.items():
            reference[row], alternate[row] = ord(one[0]), ord(other[0])
        self._lose("unproven", single & (there == 0))
        self._lose("other_reference", single & (there != reference) & (there != alternate))
        swapped = single & (there == alternate)
        self._lose("multiallelic", swapped & (self._shares_place() | self._symbolic))
        self._settle_longer(np.flatnonzero(self._alive & ~single))
        return np.flatnonzero(self._alive & swapped)

    def _shares_place(self) -> NDArray[np.bool_]:
        places = self._old.astype(np.int64) << 32 | self._calls.pos
        _, inverse, count = np.unique(places, return_inverse=True, return_counts=True)
        return np.asarray(count[inverse] > 1)

    def _settle_longer(self, rows: NDArray[np.int64]) -> None:
        """Insertions, deletions, substitutions of several bases: by the reference genome, or as the panel has them."""
        unproven, other, crossing = (np.zeros(self._calls.rows, np.bool_) for _ in range(3))
        window = None if self._ground.reference is None else Bases(self._ground.reference)
        extents = np.zeros(self._calls.rows, np.int64)
        for row in rows[np.lexsort((self._pos[rows], self._chromosome[rows]))].tolist():
            contig, pos, (reference, alternate) = NAMES[self._chromosome[row]], int(self._pos[row]), self._alleles(row)
            if window is None:
                key = np.array([variant_keys.variant_key(contig, pos, reference, alternate)], np.uint64)
                on_panel = not self._is_indel[row] and self._ground.panel.locate(key)[0] >= 0 and not key[0] & 1
                unproven[row] = not on_panel
                continue
            found = window.at(contig, pos, len(reference))
            unproven[row], other[row] = found is None, found is not None and found != reference
            if found == reference and self._is_indel[row]:
                extents[row] = len(reference) + _repeat_behind(window, contig, pos, (reference, alternate))
        reaching = self._reaches(extents, np.where(self._flipped, self._pos + self._lengths - 1, self._pos))
        crossing[rows] = ~reaching[rows]
        self._lose("unproven", unproven)
        self._lose("other_reference", other)
        self._lose("crossing", crossing)

    def _collect(self, swapped: NDArray[np.int64]) -> tuple[Calls, VcfLift]:
        kept = np.flatnonzero(self._alive)
        moved = int((self._chromosome[kept] != self._old[kept]).sum())
        is_swapped = np.zeros(self._calls.rows, np.bool_)
        is_swapped[swapped] = True
        lifted = self._rewritten(kept, is_swapped[kept])
        lifted, _ = lifted.take(np.argsort(lifted.key, kind="stable")).without_repetitions()
        self._lost["collided"] = len(kept) - lifted.rows
        report = VcfLift(
            carried=lifted.rows,
            flipped=int(self._flipped[kept].sum()),
            swapped=len(swapped),
            moved=moved,
            blocks=len(self._calls.blocks),
            **self._lost,
        )
        return lifted, report

    def _rewritten(self, kept: NDArray[np.int64], swapped: NDArray[np.bool_]) -> Calls:
        """The rows that are kept, with places and alleles of the new assembly."""
        calls = self._calls.take(kept)
        chromosome, pos = self._chromosome[kept], self._pos[kept]
        bits = np.uint64(variant_keys.ALLELE_BITS)
        key = (variant_keys.place(chromosome, pos) << bits) | (
            calls.key & np.uint64((1 << variant_keys.ALLELE_BITS) - 1)
        )
        changed = np.flatnonzero(swapped | self._flipped[kept])
        texts = {}
        for index in changed.tolist():
            one, other = self._alleles(int(kept[index]))
            texts[index] = (other, one) if swapped[index] else (one, other)
            key[index] = variant_keys.variant_key(NAMES[chromosome[index]], int(pos[index]), *texts[index])
        codes, forms = _swap(calls, np.flatnonzero(swapped))
        return replace(
            calls,
            contigs=list(NAMES[1:]),
            contig=chromosome.astype(np.int32) - 1,
            pos=pos,
            key=key,
            reference=calls.reference.put({index: pair[0] for index, pair in texts.items()}),
            alternate=calls.alternate.put({index: pair[1] for index, pair in texts.items()}),
            codes=codes,
            forms=forms,
            blocks=calls.blocks[:0],
        )


def _swap(calls: Calls, rows: NDArray[np.int64]) -> tuple[PackedMatrix, PackedMatrix]:
    """Count the other allele in some rows; which of two phased alleles is the alternative one turns, too."""
    codes, forms = calls.codes.packed.copy(), calls.forms.packed.copy()
    dosage = calls.codes.dosage(rows)
    written = calls.forms.dosage(rows)  # 3, the second of two phased alleles, reads as -1 there
    copies = np.where(written == _HAPLOID, 1, 2)
    codes[rows] = PackedMatrix.from_dosage(np.where(dosage < 0, -1, copies - dosage).astype(np.int8)).packed
    turned = np.where(written == _PHASED, -1, np.where(written == -1, _PHASED, written)).astype(np.int8)
    forms[rows] = PackedMatrix.from_dosage(turned).packed
    samples = len(calls.samples)
    return PackedMatrix(codes, samples), PackedMatrix(forms, samples)


def _repeat_behind(window: Bases, contig: str, pos: int, alleles: tuple[str, str]) -> int:
    """How far the inserted or deleted bases go on to repeat behind REF, in bases of the new assembly."""
    reference, alternate = alleles
    unit = max(reference, alternate, key=len)[min(len(reference), len(alternate)) :]
    behind, extent = pos + len(reference), 0
    if len(reference) > len(alternate):
        behind = pos + len(alternate)  # the deleted bases themselves are the first of the repeat
    while (found := window.at(contig, behind + extent, len(unit))) == unit:
        extent += len(unit)
    shared = next((at for at, pair in enumerate(zip(found or "", unit, strict=False)) if pair[0] != pair[1]), 0)
    return max(0, behind + extent + shared - (pos + len(reference)))


def _turn(allele: str) -> str:
    return allele.translate(_COMPLEMENT)[::-1]
