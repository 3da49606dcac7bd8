"""What alleles mean, from a table that the owner gives, held against their own calls.

Tab-separated text. Lines that begin with ``#`` are comments, and one of them says the assembly: ``#build=GRCh38``. Then
a line of columns: ``chrom``, ``pos`` (1-based), ``ref``, ``alt``, ``allele`` (the one that is meant: REF or ALT),
``meaning``; and if wanted ``rsid``, ``gene``, and ``kind``: ``carrier``, ``medicine`` or ``trait``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from nebula.genome.chromosomes import ASSEMBLIES, assembly_by_name, chromosome_code
from nebula.genome.panel import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nebula.genome.inflate import Source
    from nebula.genome.record.person import PersonalCalls

_NEEDED = ("chrom", "pos", "ref", "alt", "allele", "meaning")
_OPTIONAL = ("rsid", "gene", "kind")
KINDS = ("carrier", "medicine", "trait")
_ALLELE = re.compile(r"\A[ACGT]{1,1000}\Z")
_MOST_ROWS = 100_000
_POSITIONS = 1 << 28
_LONGEST_MEANING = 1_000
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
    """What a person's record says of a meaning: copies of the allele, of 1 or 2; None where it does not say."""

    meaning: Meaning
    copies: int | None
    of: int | None


def read_meanings(source: Source) -> tuple[str, tuple[Meaning, ...]]:
    """Read a table of meanings; returns the assembly that it says, and its rows.

    Raises:
        RejectedInputError: ``meanings.*`` with the line, the column and the rule.
    """
    # SECURITY: the table is a stranger's.
    text = b"".join(source.pieces())
    build: str | None = None
    columns: list[str] | None = None
    rows: list[Meaning] = []
    for number, line in enumerate(_decoded(source, text).splitlines(), start=1):
        if line.startswith("#"):
            build = assembly_by_name(line) or build
        elif columns is None:
            columns = _columns(source, line, number)
        elif line.strip():
            rows.append(_row(source, columns, line, number))
        if len(rows) > _MOST_ROWS:
            source.refuse("too-long", f"it has more than {_MOST_ROWS:,} rows")
    if build is None:
        hint = "say so in a line of its own above the columns: #build=GRCh38"
        source.refuse("build", f"no comment says its assembly: {', '.join(ASSEMBLIES)}", hint=hint)
    if not rows:
        source.refuse("empty", "it has no row", hint=_HINT)
    return build, tuple(rows)


def look_up(meanings: tuple[Meaning, ...], person: PersonalCalls) -> tuple[Finding, ...]:
    """Hold a person's calls against meanings, in their order."""
    return tuple(_find(meaning, person) for meaning in meanings)


def _find(meaning: Meaning, person: PersonalCalls) -> Finding:
    call = person.at(meaning.site)
    if call is None:
        return Finding(meaning=meaning, copies=None, of=None)
    copies = call.alternate if meaning.allele == meaning.alternate else call.of - call.alternate
    return Finding(meaning=meaning, copies=copies, of=call.of)


def _decoded(source: Source, text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        source.refuse("encoding", "the text is not UTF-8", hint="save it as UTF-8")


def _columns(source: Source, line: str, number: int) -> list[str]:
    names = [name.strip().lower() for name in line.split("\t")]
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in (*_NEEDED, *_OPTIONAL)]
    if missing or unknown or len(set(names)) != len(names):
        wrong = f"no column {missing[0]!r}" if missing else f"columns {', '.join(map(repr, unknown or names))}"
        source.refuse("columns", f"line {number}: it has {wrong}", hint=_HINT)
    return names


def _row(source: Source, columns: list[str], line: str, number: int) -> Meaning:
    cells = [cell.strip() for cell in line.split("\t")]
    row: Mapping[str, str] = dict(zip(columns, cells, strict=False))
    wrong = _fault(row, cells, columns)
    if wrong is not None:
        source.refuse("row", f"line {number}, {wrong}", hint=_HINT)
    return Meaning(
        chromosome=row["chrom"].removeprefix("chr"),
        pos=int(row["pos"]),
        reference=row["ref"].upper(),
        alternate=row["alt"].upper(),
        allele=row["allele"].upper(),
        meaning=row["meaning"],
        rsid=row.get("rsid", ""),
        gene=row.get("gene", ""),
        kind=row.get("kind") or "trait",
    )


def _fault(row: Mapping[str, str], cells: list[str], columns: list[str]) -> str | None:
    """The column that breaks a rule, and the rule."""
    if len(cells) != len(columns):
        return f"columns: {len(cells)} cells under {len(columns)} columns"
    reference, alternate, pos = row["ref"].upper(), row["alt"].upper(), row["pos"]
    kind = row.get("kind") or "trait"
    rules = (
        ("chrom", chromosome_code(row["chrom"]) > 0, "is no chromosome"),
        ("pos", pos.isascii() and pos.isdigit() and 0 < int(pos[:12]) < _POSITIONS, "is no 1-based position"),
        ("ref", bool(_ALLELE.match(reference)), "is not spelt with A, C, G, T"),
        ("alt", bool(_ALLELE.match(alternate)) and alternate != reference, "is not spelt with A, C, G, T, or is ref"),
        ("allele", row["allele"].upper() in (reference, alternate), "is neither ref nor alt"),
        ("meaning", 0 < len(row["meaning"]) <= _LONGEST_MEANING, f"has not 1 to {_LONGEST_MEANING:,} characters"),
        ("kind", kind in KINDS, f"is none of {', '.join(KINDS)}"),
    )
    return next((f"{name}: {row[name][:40]!r} {rule}" for name, holds, rule in rules if not holds), None)
