"""Carry calls of a VCF to another assembly by a chain file: what of them means the same there, and no more.

A call is kept only where its REF is known to be the new assembly's, from the panel or the reference genome. In this
order, for each row:

1. all bases of REF, and the next one behind an insertion or deletion, must lie in one block of the chain: what crosses
   a border of blocks is lost, though the gap be as long on both sides;
2. where the strand turns, substitutions are turned with it (reverse complement); insertions and deletions are lost,
   for they would have to be anchored to another base;
3. REF must be the base that the new assembly has there. Where ALT is it, of a place with one ALT, the two change
   places, and with them the counts; anything else is lost;
4. insertions and deletions need the reference genome, and are left-aligned along it. A repeat that they stand in must
   lie in the block wholly, with the base on either side: assemblies differ in the length of repeats, and a chain puts
   that difference anywhere in them.

Variants that are one by then count once if they say the same of everyone; if not, none of them is kept. Stretches
without variants (gVCF) are lost: nothing says that they are the *new* assembly's reference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.aligning import Verdict
from nebula.genome.bases import reverse_complement
from nebula.genome.chromosomes import MT, NAMES, chromosome_code
from nebula.genome.ground import Ground
from nebula.genome.matrix import MISSING, PackedMatrix
from nebula.genome.vcf.reader import CallForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.lift.chain import Chain
    from nebula.genome.panel import Panel
    from nebula.genome.reference import Reference

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
        repeated: became one with another variant that has the same calls, and count once.
        collided: became one with others that have different calls.
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
    repeated: int
    collided: int
    blocks: int


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
        self._reference, self._alternate = calls.reference, calls.alternate
        self._lengths = calls.reference.lengths().astype(np.int64)
        self._is_indel = self._lengths != calls.alternate.lengths()
        self._lost: dict[str, int] = {}
        self._alive = np.ones(calls.rows, np.bool_)

    def run(self) -> tuple[Calls, VcfLift]:
        first = self._chain.lift(self._old, self._calls.pos)
        self._chromosome, self._flipped, self._block = first.chromosome, first.flipped, first.block
        self._lose("mitochondrial", self._old == MT)
        self._lose("unmapped", first.chromosome == _NOWHERE)
        self._lose("turned_indels", first.flipped & self._is_indel)
        # An insertion goes in before the next base, which must still be the next one.
        self._lose("crossing", ~self._in_block(slice(None), self._lengths - 1 + self._is_indel))
        self._pos = np.where(first.flipped, first.pos - (self._lengths - 1), first.pos).astype(np.int32)
        self._turn()
        swapped = self._settle_single_bases()
        self._settle_longer()
        return self._collect(swapped)

    def _lose(self, why: str, which: NDArray[np.bool_] | NDArray[np.int64]) -> None:
        """Let rows go, by a mask of all or by their numbers."""
        lost = np.zeros(self._calls.rows, np.bool_)
        lost[which] = True
        lost &= self._alive
        self._lost[why] = self._lost.get(why, 0) + int(lost.sum())
        self._alive &= ~lost

    def _in_block(self, rows: NDArray[np.int64] | slice, bases: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether the base so many behind POS, on the old assembly, is in the same block of the chain."""
        there = self._chain.lift(self._old[rows], self._calls.pos[rows].astype(np.int64) + bases)
        return np.asarray(there.block == self._block[rows])

    def _turn(self) -> None:
        """Spell alleles as they read on the new strand."""
        turned = np.flatnonzero(self._alive & self._flipped)
        self._reference = self._reference.put(turned, reverse_complement(self._reference.take(turned)))
        self._alternate = self._alternate.put(turned, reverse_complement(self._alternate.take(turned)))

    def _settle_single_bases(self) -> NDArray[np.int64]:
        """Let go what has another REF there; REF and ALT change places where ALT is it, in the rows returned."""
        single = (self._lengths == 1) & ~self._is_indel
        rows = np.flatnonzero(self._alive & single)
        there = np.zeros(self._calls.rows, np.uint8)
        there[rows] = self._ground.bases(self._chromosome[rows], self._pos[rows])
        is_alternate = single & (there == self._alternate.first_bytes())
        self._lose("unproven", single & (there == 0))
        self._lose("other_reference", single & (there != self._reference.first_bytes()) & ~is_alternate)
        self._lose("multiallelic", is_alternate & (self._shares_place() | self._symbolic))
        swapped = np.flatnonzero(self._alive & is_alternate)
        reference, alternate = self._reference.take(swapped), self._alternate.take(swapped)
        self._reference, self._alternate = (
            self._reference.put(swapped, alternate),
            self._alternate.put(swapped, reference),
        )
        return swapped

    def _shares_place(self) -> NDArray[np.bool_]:
        places = self._old.astype(np.int64) << 32 | self._calls.pos
        _, inverse, count = np.unique(places, return_inverse=True, return_counts=True)
        return np.asarray(count[inverse] > 1)

    def _settle_longer(self) -> None:
        """Hold insertions, deletions and substitutions of several bases against the assembly, and left-align them."""
        rows = np.flatnonzero(self._alive & ((self._lengths > 1) | self._is_indel))
        pos = self._pos[rows]
        found = self._ground.align(self._chromosome[rows], pos, self._reference.take(rows), self._alternate.take(rows))
        self._lose("unproven", rows[found.verdict == Verdict.UNKNOWN])
        self._lose("other_reference", rows[found.verdict == Verdict.OTHER])
        inside = self._in_block(rows, found.pos - pos) & self._in_block(rows, found.last - pos)
        self._lose("crossing", rows[~inside])
        self._pos[rows] = found.pos
        self._reference = self._reference.put(rows, found.reference)
        self._alternate = self._alternate.put(rows, found.alternate)

    def _collect(self, swapped: NDArray[np.int64]) -> tuple[Calls, VcfLift]:
        is_swapped = np.zeros(self._calls.rows, np.bool_)
        is_swapped[swapped] = True
        kept = np.flatnonzero(self._alive)
        lifted = self._rewritten(kept, is_swapped)
        repeated, collided = lifted.repetitions()
        order = np.argsort(lifted.key, kind="stable")
        order = order[~np.isin(order, repeated + collided)]
        lifted, kept = lifted.take(order), kept[order]
        return lifted, VcfLift(
            carried=lifted.rows,
            flipped=int(self._flipped[kept].sum()),
            swapped=int(is_swapped[kept].sum()),
            moved=int((self._chromosome[kept] != self._old[kept]).sum()),
            repeated=len(repeated),
            collided=len(collided),
            blocks=len(self._calls.blocks),
            **self._lost,
        )

    def _rewritten(self, kept: NDArray[np.int64], swapped: NDArray[np.bool_]) -> Calls:
        """The rows that are kept, with places and alleles of the new assembly."""
        calls, chromosome, pos = self._calls.take(kept), self._chromosome[kept], self._pos[kept]
        reference, alternate = self._reference.take(kept), self._alternate.take(kept)
        codes, forms = _swap(calls, np.flatnonzero(swapped[kept]))
        return replace(
            calls,
            contigs=list(NAMES[1:]),
            contig=chromosome.astype(np.uint16) - 1,
            pos=pos,
            key=variant_keys.variant_keys(chromosome, pos, reference, alternate),
            reference=reference,
            alternate=alternate,
            codes=codes,
            forms=forms,
            blocks=calls.blocks[:0],
        )


def _swap(calls: Calls, rows: NDArray[np.int64]) -> tuple[PackedMatrix, PackedMatrix]:
    """Count the other allele in some rows; which of two phased alleles is the alternative one turns, too."""
    codes, forms = calls.codes.packed.copy(), calls.forms.packed.copy()
    count, written = calls.codes.codes(rows), calls.forms.codes(rows)
    copies = np.where(written == CallForm.HAPLOID, np.uint8(1), np.uint8(2))
    codes[rows] = PackedMatrix.from_codes(np.where(count == MISSING, count, copies - count)).packed
    turned = written.copy()
    turned[written == CallForm.PHASED] = CallForm.PHASED_SECOND
    turned[written == CallForm.PHASED_SECOND] = CallForm.PHASED
    forms[rows] = PackedMatrix.from_codes(turned).packed
    samples = len(calls.samples)
    return PackedMatrix(codes, samples), PackedMatrix(forms, samples)
