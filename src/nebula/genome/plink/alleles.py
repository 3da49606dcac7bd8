"""Which of a site's two alleles is the reference's.

A ``.bim`` does not say: PLINK 1 puts the rarer allele first, PLINK 2 puts ALT first, and arrays put what they like. A
``.pvar`` says what whoever made it took for REF, which need not be so either.
What the panel has at a place is taken; else the base that its sites there begin with; else what the reference genome
has. Where neither allele fits, or both do, a site is left out and counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import NAMES, chromosome_lengths
from nebula.genome.plink.by_panel import by_panel
from nebula.genome.plink.by_reference import by_reference
from nebula.genome.plink.verdicts import Alleles, Pair, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nebula.genome.inflate import Source
    from nebula.genome.panel import Panel
    from nebula.genome.plink.sites import Sites
    from nebula.genome.reference import Reference

_SEQUENCE = re.compile("[ACGT]+")
#: Third alleles are so rare on arrays; more misfits are sites on the minus strand.
_STRAY_SHARE = 0.001
_PALINDROMES = frozenset((("A", "T"), ("T", "A"), ("C", "G"), ("G", "C")))


_NO_PAIR = Pair(0, "", "", 0, 0)


def find_reference_alleles(
    source: Source, sites: Sites, *, panel: Panel | None, assembly: str, reference: Reference | None
) -> Alleles:
    """Find REF of every site of a ``.bim`` or ``.pvar``.

    Args:
        source: the file of sites, to be named in errors.
        sites: its lines.
        panel: whose sites tell REF; None where a panel is yet to be made of the file.
        assembly: of the panel, or what the file is said to be on.
        reference: the reference genome, of the same assembly.

    Raises:
        RejectedInputError: ``plink.wrong-assembly`` where positions or bases are not of the assembly.
    """
    _check_positions(source, sites, assembly)
    verdicts = np.full(len(sites), Verdict.UNKNOWN, np.uint8)
    pairs = [_NO_PAIR] * len(sites)
    for row, found in enumerate(_pairs(sites, panel)):
        if isinstance(found, Verdict):
            verdicts[row] = found
        else:
            pairs[row] = found
    rows = np.flatnonzero(verdicts == Verdict.UNKNOWN)
    if panel is not None:
        verdicts[rows] = by_panel(source, [pairs[row] for row in rows.tolist()], panel, proven=reference is not None)
    told = 0
    if reference is not None:
        told = by_reference(source, sites, pairs, verdicts, reference)
    _leave_out_palindromes(pairs, verdicts)
    return Alleles(verdicts, pairs, told)


def _leave_out_palindromes(pairs: list[Pair], verdicts: NDArray[np.uint8]) -> None:
    """A/T and C/G fit on either strand: where others show that some sites are on the minus strand, nothing tells."""
    single = np.array([len(pair.first) == len(pair.second) == 1 for pair in pairs], np.bool_)
    palindrome = np.array([(pair.first, pair.second) in _PALINDROMES for pair in pairs], np.bool_)
    others = single & ~palindrome
    misfits, fits = (
        int((others & (verdicts == Verdict.NEITHER)).sum()),
        int((others & (verdicts <= Verdict.FIRST)).sum()),
    )
    if misfits > _STRAY_SHARE * (misfits + fits):
        verdicts[palindrome & (verdicts <= Verdict.FIRST)] = Verdict.STRAND


def _check_positions(source: Source, sites: Sites, assembly: str) -> None:
    lengths = np.array([1 << 28, *chromosome_lengths(assembly), 1 << 28], np.int64)
    beyond = np.flatnonzero(sites.pos > lengths[sites.chromosome])
    if len(beyond):
        row = int(beyond[0])
        name, pos = NAMES[sites.chromosome[row]], sites.pos[row]
        source.refuse(
            "wrong-assembly",
            f"line {sites.line(row)}: chromosome {name} of {assembly} ends before {pos}",
            hint="the file is on another assembly, or its chromosome codes are not those of people",
        )


def _pairs(sites: Sites, panel: Panel | None) -> Iterator[Pair | Verdict]:
    places = None if panel is None else variant_keys.places(panel.keys)
    for row, (code, pos) in enumerate(zip(sites.chromosome.tolist(), sites.pos.tolist(), strict=True)):
        first, second = sites.first[row], sites.second[row]
        if "," in first:
            yield Verdict.SEVERAL
            continue
        if code == 0 or pos <= 0:
            yield Verdict.NO_PLACE
            continue
        if not (first and second) and panel is not None and places is not None:
            first, second = _named(panel, places, (code, pos), (first, second))
        if not (first and second):
            yield Verdict.NOT_NAMED
        elif _SEQUENCE.fullmatch(first) and _SEQUENCE.fullmatch(second):
            yield _pair(code, pos, first, second)
        else:
            yield Verdict.NO_SEQUENCE


def _named(
    panel: Panel, places: NDArray[np.uint64], where: tuple[int, int], alleles: tuple[str, str]
) -> tuple[str, str]:
    """Both alleles of a site of which one is not named, where the panel has one site there with the other."""
    place = np.uint64((where[0] << 28) | (where[1] - 1))
    rows = np.arange(np.searchsorted(places, place, "left"), np.searchsorted(places, place, "right"))
    known = alleles[0] or alleles[1]
    others = [
        next(other for other in (site.reference, site.alternate) if other != known)
        for site in map(panel.site, rows.tolist())
        if known in (site.reference, site.alternate)
    ]
    if not known or len(others) != 1:
        return alleles
    return alleles[0] or others[0], alleles[1] or others[0]


def _pair(code: int, pos: int, first: str, second: str) -> Pair:
    """Trim what two alleles have in common, behind and then before, as the reader of VCFs does."""
    while first[-1] == second[-1] and len(first) > 1 and len(second) > 1:
        first, second = first[:-1], second[:-1]
    while first[0] == second[0] and len(first) > 1 and len(second) > 1:
        first, second, pos = first[1:], second[1:], pos + 1
    name = NAMES[code]
    key = variant_keys.variant_key
    return Pair(pos, first, second, key(name, pos, second, first), key(name, pos, first, second))
