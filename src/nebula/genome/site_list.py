"""Build a panel from a list of sites: tab-separated text whose first line names the columns.

``chrom``, ``pos`` (1-based), ``ref`` and ``alt`` must be there, in any order and letter case; other columns, such as an
id, are for people. Lines that begin with ``##`` are remarks, and a ``#`` before the first column's name is none of it.

Nothing is mended here: a site that is written in another way than records are is one that nobody's genotypes meet. So
alleles are upper-case bases, normalised as ``bcftools norm`` does it, and no site stands twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.bases import Bases
from nebula.genome.chromosomes import ASSEMBLIES, NAMES, chromosome_code, last_position, parse_position
from nebula.genome.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from nebula.genome.inflate import Source
    from nebula.genome.reference import Reference

KIND = "sites"
_COLUMNS = ("chrom", "pos", "ref", "alt")
_BASES = re.compile(r"[ACGT]+")
_NORMALISE = "normalise it: trimmed and left-aligned, one alternate allele in a line, as `bcftools norm -f -m-any`"


class Listed(NamedTuple):
    """One line of a list."""

    line: int
    chromosome: int
    pos: int
    reference: str
    alternate: str


def looks_like_site_list(first: bytes) -> bool:
    """Whether a file begins as a list of sites does, and as no VCF: by the line that names the columns."""
    lines = (line for line in first.split(b"\n") if not line.startswith(b"##"))
    names = [name.strip().lower() for name in next(lines, b"").lstrip(b"#").split(b"\t")]
    known = sum(name.encode() in names for name in _COLUMNS)
    # A list that lacks a column is told which, and not that it is no VCF.
    return known >= len(_COLUMNS) - 1 and not first.startswith(b"##fileformat=VCF")


def build_listed_panel(
    source: Source, *, name: str, version: str, assembly: str | None, reference: Reference | None = None
) -> Panel:
    """Build a panel of every site of a list.

    Args:
        source: the open list.
        name: of the panel, for people.
        version: of the panel.
        assembly: of its positions; a list does not say it.
        reference: the reference genome, to hold each REF against.

    Raises:
        RejectedInputError: ``sites.*`` with file, line and column; ``sites.wrong-assembly`` without an assembly.
    """
    if assembly not in ASSEMBLIES:
        said = "a list of sites does not say which assembly it is on" if assembly is None else f"{assembly} is none"
        source.refuse("wrong-assembly", said, hint=f"--assembly names one of {', '.join(ASSEMBLIES)}")
    bases = None if reference is None else Bases(reference)
    lines: dict[int, int] = {}
    long_alleles: dict[int, tuple[str, str]] = {}
    for site in _sites(source, assembly):
        if bases is not None:
            _check_reference(source, site, bases)
        alleles = site.reference, site.alternate
        key = variant_keys.variant_key(NAMES[site.chromosome], site.pos, *alleles)
        if before := lines.get(key):
            same = long_alleles.get(key, alleles) == alleles
            what = f"is the site of line {before} again" if same else f"has the VariantKey of line {before}"
            source.refuse("duplicate", f"line {site.line} {what}", hint="each site stands once: `sort -u`")
        lines[key] = site.line
        if key & 1:
            long_alleles[key] = alleles
    if not lines:
        source.refuse("none", "the list has no site")
    return Panel(name, version, assembly, np.sort(np.fromiter(lines, np.uint64, len(lines))), long_alleles)


def _sites(source: Source, assembly: str) -> Iterator[Listed]:
    places: dict[str, int] | None = None
    named = width = 0
    for number, line in enumerate(source.lines(), start=1):
        if line.startswith("##"):
            continue
        fields = line.split("\t")
        if places is None:
            places, named, width = _named_columns(source, number, fields), number, len(fields)
            continue
        if len(fields) != width:
            said = f"there are {len(fields)} columns where line {named} names {width}"
            _refuse(source, "columns", number, "", said)
        chrom, pos, reference, alternate = (fields[places[column]] for column in _COLUMNS)
        yield parse_site(source, number, (chrom, pos, reference, alternate), assembly)


def parse_site(source: Source, line: int, cells: tuple[str, str, str, str], assembly: str) -> Listed:
    """Parse chromosome, position, REF and ALT of one line of a table, written as records are.

    Raises:
        RejectedInputError: ``chromosome``, ``position``, ``allele`` or ``not-normalised``, with line and column.
    """
    chrom, pos, reference, alternate = cells
    code = chromosome_code(chrom)
    if not code:
        _refuse(source, "chromosome", line, "chrom", f"'{chrom[:40]}' is none of 1 to 22, X, Y, MT")
    last = last_position(code, assembly)
    found = parse_position(pos, last=last)
    if found is None:
        expected = f"a number from 1 to {last:,}, where {NAMES[code]} of {assembly} ends"
        _refuse(source, "position", line, "pos", f"'{pos[:40]}' is not {expected}")
    for column, allele in (("ref", reference), ("alt", alternate)):
        if not _BASES.fullmatch(allele):
            _refuse(source, "allele", line, column, f"'{allele[:40]}' is no sequence of A, C, G and T")
    _check_normalised(source, line, reference, alternate)
    return Listed(line, code, found, reference, alternate)


def _named_columns(source: Source, number: int, fields: list[str]) -> dict[str, int]:
    names = [field.strip().lower() for field in fields]
    names[0] = names[0].lstrip("#")
    missing = [column for column in _COLUMNS if column not in names]
    twice = [column for column in _COLUMNS if names.count(column) > 1]
    if missing or twice:
        said = f"no column is named {missing[0]}" if missing else f"two columns are named {twice[0]}"
        _refuse(source, "columns", number, "", said, hint=f"the first line names {', '.join(_COLUMNS)}, between tabs")
    return {column: names.index(column) for column in _COLUMNS}


def _check_normalised(source: Source, number: int, reference: str, alternate: str) -> None:
    """As Tan et al. (Bioinformatics 31, 2015): the last bases differ, and no first base is one too many in both."""
    if reference == alternate:
        _refuse(source, "allele", number, "alt", f"it is REF, {reference[:40]}, again")
    spare = min(len(reference), len(alternate)) > 1
    if reference[-1] == alternate[-1] or (spare and reference[0] == alternate[0]):
        said = f"{reference[:40]} and {alternate[:40]} are not trimmed and left-aligned"
        _refuse(source, "not-normalised", number, "ref, alt", said, hint=_NORMALISE)


def _check_reference(source: Source, site: Listed, bases: Bases) -> None:
    found = bases.at(NAMES[site.chromosome], site.pos, len(site.reference))
    if found is None:
        said = f"the reference genome has no chromosome {NAMES[site.chromosome]}, or ends before {site.pos:,}"
        _refuse(source, "reference", site.line, "chrom, pos", said)
    if found != site.reference:
        said = f"REF is {site.reference[:40]}, and the reference genome has {found[:40]} at {site.pos:,}"
        hint = "the list is on another assembly than the reference genome, or names another allele first"
        _refuse(source, "reference", site.line, "ref", said, hint=hint)


def _refuse(source: Source, code: str, line: int, column: str, sentence: str, *, hint: str | None = None) -> NoReturn:
    where = f"line {line}, {column}" if column else f"line {line}"
    source.refuse(code, f"{where}: {sentence}", hint=hint)
