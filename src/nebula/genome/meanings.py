"""What alleles mean, from a table that the owner gives, held against their own calls.

Tab-separated text. Lines that begin with ``#`` are comments, and one above the columns says the assembly:
``#build=GRCh38``. Then a line of columns: ``chrom``, ``pos`` (1-based), ``ref``, ``alt``, ``allele`` (the one that is
meant: REF or ALT), ``meaning``; and if wanted ``rsid``, ``gene``, and ``kind``: ``carrier``, ``medicine`` or ``trait``.
A variant is written as records are, trimmed and left-aligned, or nobody's calls would meet it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nebula.genome.chromosomes import ASSEMBLIES, NAMES, assembly_by_name
from nebula.genome.panel import Site
from nebula.genome.site_list import parse_site

if TYPE_CHECKING:
    from nebula.genome.inflate import Source
    from nebula.genome.record.person import PersonalCalls

_NEEDED = ("chrom", "pos", "ref", "alt", "allele", "meaning")
_OPTIONAL = ("rsid", "gene", "kind")
KINDS = ("carrier", "medicine", "trait")
_MOST_ROWS = 100_000
_LONGEST_MEANING = 1_000
_BUILD_HINT = "say so in a line of its own above the columns: #build=GRCh38"
_HINT = "columns are chrom, pos, ref, alt, allele, meaning, and optionally rsid, gene, kind, separated by tabs"


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a variant, and what its ``allele`` means."""

    chromosome: str
    pos: int
    reference: str
    alternate: str
    allele: str
    meaning: str
    rsid: str = ""
    gene: str = ""
    kind: str = "trait"

    @property
    def site(self) -> Site:
        """The variant."""
        return Site(self.chromosome, self.pos, self.reference, self.alternate)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's record says of a meaning: copies of the allele, out of 1 or 2; None where it does not say."""

    meaning: Meaning
    copies: int | None
    ploidy: int | None


def read_meanings(source: Source) -> tuple[str, tuple[Meaning, ...]]:
    """Read a table of meanings; returns the assembly that it says, and its rows.

    Raises:
        RejectedInputError: ``meanings.*`` with the line, the column and the rule.
    """
    # SECURITY: the table is a stranger's.
    build: str | None = None
    columns: list[str] | None = None
    rows: list[Meaning] = []
    for number, line in enumerate(source.lines(), start=1):
        if line.startswith("#"):
            build = _build(source, line, number, known=build)
        elif columns is None or build is None:
            columns = _columns(source, line, number)
            if build is None:
                what = f"line {number}: no comment above it says the assembly: {', '.join(ASSEMBLIES)}"
                source.refuse("build", what, hint=_BUILD_HINT)
        elif line.strip():
            rows.append(_row(source, columns, line, number, build=build))
        if len(rows) > _MOST_ROWS:
            source.refuse("too-long", f"it has more than {_MOST_ROWS:,} rows")
    if build is None or not rows:
        source.refuse("empty", "it has no row", hint=_HINT)
    return build, tuple(rows)


def look_up(meanings: tuple[Meaning, ...], person: PersonalCalls) -> tuple[Finding, ...]:
    """Hold a person's calls against meanings, in their order."""
    return tuple(_find(meaning, person) for meaning in meanings)


def _find(meaning: Meaning, person: PersonalCalls) -> Finding:
    is_alternate = meaning.allele == meaning.alternate
    found = person.at(meaning.site) if is_alternate else person.reference_at(meaning.site)
    copies, ploidy = (None, None) if found is None else found
    return Finding(meaning=meaning, copies=copies, ploidy=ploidy)


def _build(source: Source, line: str, number: int, *, known: str | None) -> str | None:
    """The assembly that is known behind a comment; other comments than ``#build=`` say nothing about it."""
    name, equals, said = line.lstrip("#").partition("=")
    if not equals or name.strip().lower() != "build":
        return known
    build = assembly_by_name(said)
    if build is None:
        source.refuse("build", f"line {number}: {said[:40]!r} is none of {', '.join(ASSEMBLIES)}", hint=_BUILD_HINT)
    if known not in (None, build):
        source.refuse(
            "build", f"line {number}: it says {build}, and a line above says {known}", hint="one table, one assembly"
        )
    return build


def _columns(source: Source, line: str, number: int) -> list[str]:
    names = [name.strip().lower() for name in line.split("\t")]
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in (*_NEEDED, *_OPTIONAL)]
    if missing or unknown or len(set(names)) != len(names):
        wrong = f"no column {missing[0]!r}" if missing else f"columns {', '.join(map(repr, unknown or names))}"
        source.refuse("columns", f"line {number}: it has {wrong}", hint=_HINT)
    return names


def _row(source: Source, columns: list[str], line: str, number: int, *, build: str) -> Meaning:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != len(columns):
        source.refuse("row", f"line {number}: {len(cells)} cells under {len(columns)} columns", hint=_HINT)
    row = dict(zip(columns, cells, strict=True))
    reference, alternate, allele = (row[name].upper() for name in ("ref", "alt", "allele"))
    site = parse_site(source, number, (row["chrom"], row["pos"], reference, alternate), build)
    kind = row.get("kind") or "trait"
    rules = (
        ("allele", allele in (reference, alternate), "is neither ref nor alt"),
        ("meaning", 0 < len(row["meaning"]) <= _LONGEST_MEANING, f"has not 1 to {_LONGEST_MEANING:,} characters"),
        ("kind", kind in KINDS, f"is none of {', '.join(KINDS)}"),
    )
    for name, holds, rule in rules:
        if not holds:
            source.refuse("row", f"line {number}, {name}: {row[name][:40]!r} {rule}", hint=_HINT)
    return Meaning(
        chromosome=NAMES[site.chromosome],
        pos=site.pos,
        reference=reference,
        alternate=alternate,
        allele=allele,
        meaning=row["meaning"],
        rsid=row.get("rsid", ""),
        gene=row.get("gene", ""),
        kind=kind,
    )
