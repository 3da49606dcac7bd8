"""Variants that were read without the reference genome: held against it, and left-aligned along it, afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula import _native
from nebula.genome.texts import Texts
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.reference import Reference


class Verdict(IntEnum):
    """What the reference genome says of a variant."""

    UNKNOWN = 0  # it lacks the contig
    OTHER = 1  # it has other bases than REF there
    FITS = 2


class Places(NamedTuple):
    """Where variants are: names of contigs, the number of each one's contig, and its 1-based position (variants,)."""

    contigs: list[str]
    contig: NDArray[np.uint16]
    pos: NDArray[np.int32]


class Aligned(NamedTuple):
    """Variants on the reference genome: those that do not fit are as they were.

    Attributes:
        verdict: Verdict codes (variants,), uint8.
        pos: where each is now, 1-based (variants,).
        last: the last position that keeps it from being written farther right (variants,): the base behind the repeat
            that it stands in, or behind an insertion or deletion that stands in none.
        reference: REF, left-aligned.
        alternate: ALT, likewise.
    """

    verdict: NDArray[np.uint8]
    pos: NDArray[np.int32]
    last: NDArray[np.int32]
    reference: Texts
    alternate: Texts


def align(genome: Reference, places: Places, reference: Texts, alternate: Texts) -> Aligned:
    """Hold trimmed variants against a reference genome, and left-align those that fit.

    Raises:
        RejectedInputError: ``fasta.index``, or what reading the reference genome raises.
    """
    order, back = _along(places)
    alleles = reference.take(order).columns(), alternate.take(order).columns()
    there = (places.contig[order], places.pos[order])
    with _reading():
        verdict, pos, last, *texts = _native.align_variants(genome, places.contigs, there, alleles)
    reference, alternate = (Texts(*one).take(back) for one in texts)
    return Aligned(verdict[back], pos[back], last[back], reference, alternate)


def bases_at(genome: Reference, places: Places) -> NDArray[np.uint8]:
    """The reference genome's base at each place, as a letter (places,); 0 where it has none.

    Raises:
        RejectedInputError: as ``align``.
    """
    order, back = _along(places)
    there = (places.contig[order], places.pos[order])
    with _reading():
        return _native.reference_bases(genome, places.contigs, there)[back]


def _along(places: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order in which the genome is read once, and the way back from it."""
    order = np.lexsort((places.pos, places.contig))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return order, back


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except _native.ParseError as error:
        *_, sentence = error.args
        raise RejectedInputError("fasta.index", f"the reference genome: {sentence}") from error
