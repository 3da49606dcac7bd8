"""Star alleles: which variants of a gene stand together on one chromosome, by a table that the owner gives.

The table is a gene's from PharmVar, with positions on chromosomes: tab-separated text; behind lines that begin with
``#`` the columns ``Haplotype Name``, ``Gene``, ``rsID``, ``ReferenceSequence`` (``NC_000010.11`` is chromosome 10 of
GRCh38), ``Variant Start``, ``Variant Stop``, ``Reference Allele``, ``Variant Allele`` and ``Type``. A row is a variant
of an allele; the allele of the reference genome has one row, whose sequence is ``REFERENCE``. Suballeles (``*2.001``)
tell apart what does the same, and are left out.

A record does not say which of its variants stand on one chromosome, so all pairs of alleles that fit are told. An
allele is looked for where the record says of each of its variants how many copies there are. One with an insertion or
a deletion is not, for the table does not say which base stands before it.

Source: A. Gaedigk et al., "The Pharmacogene Variation (PharmVar) Consortium" (Clin. Pharmacol. Ther. 103, 2018).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from nebula.genome.chromosomes import NAMES
from nebula.genome.panel import Site
from nebula.genome.site_list import parse_site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nebula.genome.inflate import Source
    from nebula.genome.record.person import Copies, PersonalCalls

_COLUMNS = (
    "haplotype name",
    "gene",
    "rsid",
    "referencesequence",
    "variant start",
    "variant stop",
    "reference allele",
    "variant allele",
    "type",
)
_NAME, _GENE, _, _SEQUENCE, _START, _STOP, _REFERENCE, _VARIANT = range(8)
_OF_REFERENCE = "REFERENCE"
_SUBALLELE = re.compile(r".*\.\d{3}")
_BASE = re.compile(r"[ACGT]")
_MOST_ROWS = 100_000
_MOST_ALLELES = 1_000
_LONGEST_NAME = 60
_TAKE = "take the gene's file of PharmVar whose positions are on GRCh38 (NC_…)"

#: RefSeq's versions of chromosomes 1 to 22, X and Y in GRCh37; those in GRCh38 are one higher.
_VERSIONS = (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9)
_SEQUENCES = {
    f"NC_{code:06}.{version + later}": (code, assembly)
    for later, assembly in enumerate(("GRCh37", "GRCh38"))
    for code, version in enumerate(_VERSIONS, start=1)
}


@dataclass(frozen=True, slots=True)
class StarAllele:
    """An allele of a gene.

    Attributes:
        sites: its single bases that are not those of the reference genome.
        told: whether these are all of its variants; insertions, deletions and longer ones are not among them.
    """

    gene: str
    name: str
    sites: frozenset[Site]
    told: bool


class StarFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's record says of a gene.

    Attributes:
        fits: pairs of alleles that give what the record says, such as ``*1/*2``; single alleles where a man has one.
        looked_for: alleles of which the record says all variants, in the table's order.
        not_looked_for: the others; one of them may be there, whatever fits.
    """

    gene: str
    fits: tuple[str, ...]
    looked_for: tuple[str, ...]
    not_looked_for: tuple[str, ...]


def read_star_alleles(source: Source) -> tuple[str, tuple[StarAllele, ...]]:
    """Read a table; returns the assembly of its positions, and its alleles in its order.

    Raises:
        RejectedInputError: ``star-alleles.*`` with the line and the rule.
    """
    # SECURITY: the table is a stranger's.
    named = False
    builds: set[str] = set()
    found: dict[tuple[str, str], list[Site | None]] = {}
    for number, line in enumerate(source.lines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        if number > _MOST_ROWS or len(found) > _MOST_ALLELES:
            source.refuse("too-long", f"it has more than {_MOST_ROWS:,} rows, or {_MOST_ALLELES:,} alleles")
        cells = [cell.strip() for cell in line.split("\t")]
        if not named:
            _check_columns(source, number, cells)
            named = True
            continue
        if len(cells) != len(_COLUMNS):
            source.refuse("row", f"line {number}: {len(cells)} cells under {len(_COLUMNS)} columns", hint=_TAKE)
        if _SUBALLELE.fullmatch(cells[_NAME]):
            continue
        variants = found.setdefault(_allele(source, number, cells), [])
        if cells[_SEQUENCE] != _OF_REFERENCE:
            variants.append(_site(source, number, cells, builds))
    if not builds:
        source.refuse("empty", "it has no variant of an allele", hint=_TAKE)
    if len(builds) > 1:
        source.refuse("build", "it has positions of both GRCh37 and GRCh38", hint=_TAKE)
    alleles = (
        StarAllele(gene, name, frozenset(filter(None, variants)), told=None not in variants)
        for (gene, name), variants in found.items()
    )
    return builds.pop(), tuple(alleles)


def call_star_alleles(alleles: Sequence[StarAllele], person: PersonalCalls) -> tuple[StarFinding, ...]:
    """Look for star alleles in a person's calls: a finding for each gene, by name."""
    ordered = sorted(alleles, key=attrgetter("gene"))
    return tuple(_call(gene, tuple(of_gene), person) for gene, of_gene in groupby(ordered, key=attrgetter("gene")))


def _call(gene: str, alleles: Sequence[StarAllele], person: PersonalCalls) -> StarFinding:
    every = sorted(frozenset[Site]().union(*(allele.sites for allele in alleles)))
    known = {site: copies for site in every if (copies := person.at(site)) is not None}
    looked_for = [allele for allele in alleles if known and allele.told and allele.sites <= known.keys()]
    names = {allele.name for allele in looked_for}
    return StarFinding(
        gene=gene,
        fits=_fitting(looked_for, known),
        looked_for=tuple(allele.name for allele in looked_for),
        not_looked_for=tuple(allele.name for allele in alleles if allele.name not in names),
    )


def _fitting(alleles: Sequence[StarAllele], known: Mapping[Site, Copies]) -> tuple[str, ...]:
    """Names of the alleles, or pairs of them, that together have as many copies of each known site as the person."""
    copies = np.array([one.copies for one in known.values()], np.int8)
    has = np.array([[site in allele.sites for site in known] for allele in alleles], np.int8)
    if all(one.ploidy == 1 for one in known.values()):
        return tuple(allele.name for allele, row in zip(alleles, has, strict=True) if (row == copies).all())
    return tuple(
        f"{allele.name}/{alleles[other].name}"
        for first, allele in enumerate(alleles)
        for other in (first + _same_rows(has[first:], copies - has[first])).tolist()
    )


def _same_rows(rows: NDArray[np.int8], wanted: NDArray[np.int8]) -> NDArray[np.intp]:
    return np.flatnonzero((rows == wanted).all(axis=1))


def _check_columns(source: Source, number: int, cells: Sequence[str]) -> None:
    if tuple(cell.lower() for cell in cells) != _COLUMNS:
        expected = ", ".join(_COLUMNS)
        source.refuse("columns", f"line {number}: the columns are not {expected}", hint=_TAKE)


def _allele(source: Source, number: int, cells: Sequence[str]) -> tuple[str, str]:
    """The gene and the name of an allele without it: ``*2`` of ``CYP2C19*2``."""
    gene, name = cells[_GENE], cells[_NAME].removeprefix(cells[_GENE])
    for column, text in (("gene", gene), ("haplotype name", name)):
        if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
            source.refuse("row", f"line {number}, {column}: {text[:40]!r} is no name of up to {_LONGEST_NAME} letters")
    return gene, name


def _site(source: Source, number: int, cells: Sequence[str], builds: set[str]) -> Site | None:
    """The site of a variant of a single base; None for any other, whose first base the table does not tell."""
    sequence = _SEQUENCES.get(cells[_SEQUENCE])
    if sequence is None:
        said = f"{cells[_SEQUENCE][:40]!r} is no chromosome of GRCh37 or GRCh38"
        source.refuse("sequence", f"line {number}, ReferenceSequence: {said}", hint=_TAKE)
    code, assembly = sequence
    builds.add(assembly)
    reference, variant = cells[_REFERENCE], cells[_VARIANT]
    if cells[_START] != cells[_STOP] or not (_BASE.fullmatch(reference) and _BASE.fullmatch(variant)):
        return None
    found = parse_site(source, number, (NAMES[code], cells[_START], reference, variant), assembly)
    return Site(NAMES[code], found.pos, reference, variant)
