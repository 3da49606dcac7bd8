"""Star alleles: which variants of a gene stand together on one chromosome, by a table that the owner gives.

The table is a gene's from PharmVar, with positions on GRCh38: tab-separated text; behind lines that begin with ``#``
the columns ``Haplotype Name``, ``Gene``, ``rsID``, ``ReferenceSequence`` (``NC_000010.11`` is chromosome 10),
``Variant Start``, ``Variant Stop``, ``Reference Allele``, ``Variant Allele`` and ``Type``. A row is a variant of a core
allele (``*2``), which all of its suballeles have, or of a suballele (``*2.001``), which may have more. ``REFERENCE``
stands where there is no variant: of the reference genome's own allele, a suballele of which says so too, and of whole
genes that are missing, which have no suballele.

Told are all diplotypes, pairs of core alleles, that fit what the record says: at each place that defines an allele, as
many copies as the core alleles have, and up to as many as their suballeles have. Which variants stand on one chromosome
is not looked at. A core allele is looked for where the record says of each of its variants how many copies there are,
and all of them are single bases: of an insertion or a deletion the table does not say which base stands before it.

Source: A. Gaedigk et al., "The Pharmacogene Variation (PharmVar) Consortium" (Clin. Pharmacol. Ther. 103, 2018).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from nebula.genome.chromosomes import NAMES
from nebula.genome.panel import Site
from nebula.genome.site_list import parse_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nebula.genome.inflate import Source
    from nebula.genome.record.person import PersonalCalls

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
_NAME, _GENE, _RSID, _SEQUENCE, _START, _STOP, _REFERENCE, _VARIANT = range(8)
_NO_VARIANT = "REFERENCE"
_SUBALLELE = re.compile(r"(.+)\.\d+")
_BASES = re.compile(r"[ACGT]+|-")
_MOST_ROWS, _MOST_ALLELES, _MOST_SITES = 50_000, 500, 1_000
_LONGEST_NAME = 60
_DIPLOID = 2
_TAKE = "take the gene's file of PharmVar whose positions are on GRCh38 (NC_…)"
_ASSEMBLY = "GRCh38"

#: RefSeq's versions of chromosomes 1 to 22, X and Y in GRCh38.
_VERSIONS = (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10)
_SEQUENCES = {f"NC_{code:06}.{version}": code for code, version in enumerate(_VERSIONS, start=1)}


@dataclass(frozen=True, slots=True)
class StarAllele:
    """A core allele of a gene.

    Attributes:
        sites: its single bases that are not those of the reference genome.
        further: those that some of its suballeles have besides.
        complete: whether ``sites`` are all of its variants.
    """

    gene: str
    name: str
    sites: frozenset[Site]
    further: frozenset[Site]
    complete: bool


class StarFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's record says of a gene.

    Attributes:
        diplotypes: pairs of the alleles that were looked for that give what the record says, such as ``*1/*2``.
        looked_for: core alleles of which the record says all variants, in the table's order.
        not_looked_for: the others; one of them may be there, whatever fits.
    """

    gene: str
    diplotypes: tuple[str, ...]
    looked_for: tuple[str, ...]
    not_looked_for: tuple[str, ...]


@dataclass(slots=True)
class _Rows:
    """What a table's rows say of one allele, by the names that it has in them; None is no single base."""

    variants: dict[str, set[Site | None]] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)

    def allele(self, gene: str, name: str) -> StarAllele:
        suballeles = [variants for said, variants in self.variants.items() if said != name]
        core = self.variants.get(name)
        if core is None:  # it has none, or the gene's table has suballeles alone
            core = set() if self.without else set.intersection(*suballeles)
        is_missing = not core and not (self.without - {name})
        sites = frozenset(filter(None, core))
        further = frozenset(filter(None, set[Site | None]().union(*suballeles))) - sites
        return StarAllele(gene, name, sites, further, complete=None not in core and not is_missing)


def read_star_alleles(source: Source) -> tuple[StarAllele, ...]:
    """Read a table; returns its core alleles in its order.

    Raises:
        RejectedInputError: ``star-alleles.*`` with the line and the rule.
    """
    # SECURITY: the table is a stranger's.
    named = False
    found: dict[tuple[str, str], _Rows] = {}
    for number, line in enumerate(source.lines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if not named:
            _check_columns(source, number, cells)
            named = True
            continue
        # What is empty at a line's end may be missing.
        cells += [""] * (len(_COLUMNS) - len(cells))
        if len(cells) != len(_COLUMNS):
            source.refuse("row", f"line {number}: {len(cells)} cells under {len(_COLUMNS)} columns", hint=_TAKE)
        gene, said = _names(source, number, cells)
        suballele = _SUBALLELE.fullmatch(said)
        rows = found.setdefault((gene, suballele[1] if suballele else said), _Rows())
        if _NO_VARIANT in (cells[_RSID], cells[_SEQUENCE]):
            rows.without.add(said)
        else:
            rows.variants.setdefault(said, set()).add(_site(source, number, cells))
        if number > _MOST_ROWS or len(found) > _MOST_ALLELES:
            source.refuse("too-long", f"it has more than {_MOST_ROWS:,} lines, or {_MOST_ALLELES:,} alleles")
    alleles = tuple(rows.allele(gene, name) for (gene, name), rows in found.items())
    if not any(allele.sites for allele in alleles):
        source.refuse("empty", "it has no variant of an allele", hint=_TAKE)
    if len(_defining(alleles)) > _MOST_SITES:
        source.refuse("too-long", f"its alleles have more than {_MOST_SITES:,} variants")
    return alleles


def call_star_alleles(alleles: Sequence[StarAllele], person: PersonalCalls) -> tuple[StarFinding, ...]:
    """Look for star alleles in a person's calls on GRCh38: a finding for each gene, by name."""
    ordered = sorted(alleles, key=attrgetter("gene"))
    return tuple(_call(gene, tuple(of_gene), person) for gene, of_gene in groupby(ordered, key=attrgetter("gene")))


def _call(gene: str, alleles: Sequence[StarAllele], person: PersonalCalls) -> StarFinding:
    found = {site: person.at(site) for site in _defining(alleles)}
    # One copy of a chromosome that comes in two is a call inside of a deletion.
    known = {site: one.copies for site, one in found.items() if one is not None and one.ploidy == _DIPLOID}
    looked_for = [allele for allele in alleles if known and allele.complete and allele.sites <= known.keys()]
    names = {allele.name for allele in looked_for}
    return StarFinding(
        gene=gene,
        diplotypes=_fitting(looked_for, known),
        looked_for=tuple(allele.name for allele in looked_for),
        not_looked_for=tuple(allele.name for allele in alleles if allele.name not in names),
    )


def _fitting(alleles: Sequence[StarAllele], known: Mapping[Site, int]) -> tuple[str, ...]:
    """The pairs that have at each known site at least, and at most, as many copies as the person."""
    copies = np.array(list(known.values()), np.int8)
    least = np.array([[site in one.sites for site in known] for one in alleles], np.int8)
    most = np.array([[site in one.sites or site in one.further for site in known] for one in alleles], np.int8)
    return tuple(
        f"{allele.name}/{alleles[first + other].name}"
        for first, allele in enumerate(alleles)
        for other in np.flatnonzero(
            ((least[first] + least[first:] <= copies) & (most[first] + most[first:] >= copies)).all(axis=1)
        ).tolist()
    )


def _defining(alleles: Iterable[StarAllele]) -> list[Site]:
    """The places that define an allele."""
    return sorted(frozenset[Site]().union(*(allele.sites for allele in alleles)))


def _check_columns(source: Source, number: int, cells: Sequence[str]) -> None:
    if tuple(cell.lower() for cell in cells) != _COLUMNS:
        expected = ", ".join(_COLUMNS)
        source.refuse("columns", f"line {number}: the columns are not {expected}", hint=_TAKE)


def _names(source: Source, number: int, cells: Sequence[str]) -> tuple[str, str]:
    """The gene, and what the row calls the allele without it: ``*2`` of ``CYP2C19*2``."""
    gene, name = cells[_GENE], cells[_NAME].removeprefix(cells[_GENE])
    for column, text in (("gene", gene), ("haplotype name", name)):
        if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
            source.refuse("row", f"line {number}, {column}: {text[:40]!r} is no name of up to {_LONGEST_NAME} letters")
    return gene, name


def _site(source: Source, number: int, cells: Sequence[str]) -> Site | None:
    """The site of a variant of a single base; None for any other."""
    code = _SEQUENCES.get(cells[_SEQUENCE])
    if code is None:
        said = f"{cells[_SEQUENCE][:40]!r} is no chromosome of {_ASSEMBLY}"
        source.refuse("sequence", f"line {number}, ReferenceSequence: {said}", hint=_TAKE)
    reference, variant = cells[_REFERENCE], cells[_VARIANT]
    for column, allele in (("Reference Allele", reference), ("Variant Allele", variant)):
        if not _BASES.fullmatch(allele):
            source.refuse("allele", f"line {number}, {column}: {allele[:40]!r} is neither A, C, G, T nor '-'")
    if cells[_START] != cells[_STOP] or "-" in (reference, variant) or len(reference) != 1 or len(variant) != 1:
        return None
    found = parse_site(source, number, (NAMES[code], cells[_START], reference, variant), _ASSEMBLY)
    return Site(NAMES[code], found.pos, reference, variant)
