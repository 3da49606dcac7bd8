"""Match a consumer file's letters with the alleles of a panel, by place, and settle the strand.

Sets of bases are four bits, A the lowest and T the highest: turned to the other strand they stand in reverse. A
place whose alleles are also alleles when turned (A/T, C/G) tells nothing about the strand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.matrix import MISSING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel

_SETS = np.zeros(256, np.uint8)
_SETS[list(b"ACGT")] = [1, 2, 4, 8]
_TURNED = np.array([int(f"{bases:04b}"[::-1], 2) for bases in range(16)], np.uint8)
#: Spelt REF and ALT of one base each, as a key has their lengths; the two bases stand below.
_ONE_BASE_EACH = (1 << 4) | 1
_TWO_BASES = 2


class Markers(NamedTuple):
    """Markers as columns: chromosome codes, 1-based positions, and both letters as ASCII, the second 0 for one copy."""

    chromosome: NDArray[np.integer]
    pos: NDArray[np.integer]
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
    rows, references, alternates = _single_base_sites(panel)
    places = variant_keys.places(panel.keys)[rows]
    starts = np.flatnonzero(np.diff(places, prepend=np.uint64(0)))
    places = places[starts]
    alleles = np.bitwise_or.reduceat(references | alternates, starts) if len(rows) else references
    group, one, two, agree = _genotypes(markers, places)
    alleles, genotype = alleles[group], one | two
    direct, turnable = (genotype & ~alleles) == 0, (_TURNED[genotype] & ~alleles) == 0
    palindrome = (alleles & _TURNED[alleles]) != 0
    if plus_strand:
        telling, fits, usable = np.ones(len(group), np.bool_), direct, direct
    else:
        telling = (np.bitwise_count(genotype) == _TWO_BASES) & ~palindrome
        fits, usable = direct | turnable, (direct | turnable) & ~palindrome
        turn = ~direct & turnable
        one, two = np.where(turn, _TURNED[one], one), np.where(turn, _TURNED[two], two)
    # From places back to sites: those at one place are neighbours.
    at = np.full(len(places), -1, np.int64)
    at[group] = np.arange(len(group))
    sites = np.repeat(at, np.diff(np.append(starts, len(rows))))
    rows, alternates, sites = rows[sites >= 0], alternates[sites >= 0], sites[sites >= 0]
    codes = (one[sites] == alternates).astype(np.uint8) + (two[sites] == alternates).astype(np.uint8)
    codes[~(usable & agree)[sites]] = MISSING
    return Match(
        rows=rows,
        codes=codes,
        haploid=(two == 0)[sites],
        met=int(telling.sum()),
        fitting=int((telling & fits).sum()),
        strangers=int((~direct).sum()),
        turned=int((~direct & turnable & ~palindrome).sum()),
        palindromes=0 if plus_strand else int(palindrome.sum()),
        conflicts=int((~agree).sum()),
    )


def _single_base_sites(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
    """Rows of the sites whose alleles have one base each, and these as sets."""
    keys = panel.keys
    lengths = (keys >> np.uint64(23)) & np.uint64(0xFF)
    rows = np.flatnonzero((lengths == _ONE_BASE_EACH) & ~variant_keys.hashed(keys))
    reference, alternate = ((keys[rows] >> np.uint64(shift)) & np.uint64(3) for shift in (21, 19))
    one = np.uint64(1)
    return rows, (one << reference).astype(np.uint8), (one << alternate).astype(np.uint8)


def _genotypes(
    markers: Markers, places: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """For each place that a called marker stands at: its number, both alleles, whether its markers agree."""
    one, two = _SETS[markers.first], _SETS[markers.second]
    called = np.flatnonzero((markers.chromosome > 0) & (one > 0) & ((two > 0) | (markers.second == 0)))
    wanted = variant_keys.place(markers.chromosome[called], markers.pos[called])
    group = np.minimum(np.searchsorted(places, wanted), max(len(places) - 1, 0))
    met = places[group] == wanted if len(places) else np.zeros(len(wanted), np.bool_)
    called, group = called[met], group[met]
    order = np.argsort(group, kind="stable")
    called, group = called[order], group[order]
    one, two = one[called], two[called]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    genotype = one | two
    agree = (
        np.minimum.reduceat(genotype, first) == np.maximum.reduceat(genotype, first)
        if len(first)
        else np.zeros(0, np.bool_)
    )
    return group[first], one[first], two[first], agree
