"""Match a consumer file's letters with the alleles of a panel, by place, and settle the strand.

A place whose alleles are also alleles when turned to the other strand (A/T, C/G) tells nothing about the strand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nebula import _native

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel


class Markers(NamedTuple):
    """Markers as columns: chromosome codes, 1-based positions, and both letters as ASCII, the second 0 for one copy."""

    chromosome: NDArray[np.uint8]
    pos: NDArray[np.int32]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]


class Match(NamedTuple):
    """What the panel's sites of one base are called by a file.

    Attributes:
        rows: the panel's sites that a called marker stands at (matched,), ascending.
        codes: ALT alleles, or ``MISSING`` (matched,).
        haploid: whether there is one copy (matched,).
        met: places of the panel that prove something about the assembly; ``fitting`` those whose letters are
            alleles there. Where the strand is not known only heterozygous calls prove anything: one letter
            nearly always fits one of the strands.
        strangers: places whose letters are no alleles there; ``turned`` those among them that would fit, or do
            where the strand is not known, on the other strand.
        palindromes: places left out because only the strand would tell their alleles apart.
        conflicts: places left out because several markers there disagree.
    """

    rows: NDArray[np.int64]
    codes: NDArray[np.uint8]
    haploid: NDArray[np.bool_]
    met: int
    fitting: int
    strangers: int
    turned: int
    palindromes: int
    conflicts: int


def match(markers: Markers, panel: Panel, *, plus_strand: bool) -> Match:
    """Match markers by place with the panel's single-base sites.

    Letters that are no allele at their place make the call missing, and so do markers at one place that
    disagree, and a palindrome whose strand is not known.
    """
    rows, codes, haploid, counts = _native.match_markers(panel.keys, *markers, plus_strand)
    return Match(rows, codes, haploid, *counts)
