"""Which vendor wrote a consumer file, and which of its columns holds what: read off the lines before the markers.

A file is known by the line that names its columns, never by its name. What the vendor's word adds, from the
comments above that line: the assembly that it claims, and the version of the chip where it says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nebula.genome.chromosomes import assembly_by_name
from nebula.genome.consumer.columns import columns_of, what_is_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nebula.genome.inflate import Source

HINT = "give the raw data file as the vendor exports it, unchanged"
_NO_HEADING = "no line before the first marker names a column for the chromosome, the position and the genotype"
_MAKE_A_HEADING = (
    "or put a line above the markers that names their columns, such as rsid, chromosome, position, genotype"
)
#: The markers begin within so many bytes; the longest known preamble has four thousand.
PREAMBLE_BYTES = 1 << 17
_PREAMBLE_LINES = 100
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_VENDORS = (
    (r"ancestrydna", "AncestryDNA"),
    (r"23mofang", "23Mofang"),
    (r"^\W*circle", "CircleDNA"),
    (r"dna\.land", "DNA.Land"),
    (r"famfinder|familytreedna", "FamilyTreeDNA"),
    (r"genes for good", "Genes for Good"),
    (r"living dna", "Living DNA"),
    (r"mapmygenome", "Mapmygenome"),
    (r"myheritage", "MyHeritage"),
    (r"selfdecode", "SelfDecode"),
    (r"\bsano", "Sano Genetics"),
    (r"23andme", "23andMe"),
)
#: Vendors that write no comments, by the line that names the columns.
_HEADINGS = (
    (r"RSID,CHROMOSOME,POSITION,RESULT", "FamilyTreeDNA"),
    (r"rsid\tChromosome\tposition\tgenotype", "tellmeGen"),
    (r"rsid\tchromosome\tposition\tallele_1\tallele_2", "Sano Genetics"),
    (r"Name,Variation,Chromosome,Position,Strand,YourCode", "deCODEme"),
    (r"SNP\.?\s?Name\t.*Allele1\.\.\.Plus", "Mapmygenome"),
    (r".*Allele1 - ", "Illumina report"),
)
_NO_VENDOR = "a table of genotypes"
_VERSION = re.compile(r"array version:\s*(V\d[\d.]*)", re.IGNORECASE)
_MARKER = re.compile(rb'"?(rs|i)\d+"?[\t,]')
#: What files are said to be on whose comments do not say.
_USUAL_ASSEMBLY = "GRCh37"


class Layout(NamedTuple):
    """How to read the markers of a file.

    Attributes:
        vendor: with the version where the file says it.
        stated_assembly: what the comments say; ``stated`` is False where they say nothing.
        roles: what each column holds, empty for what is not read.
        separator: a tab, a comma, or a blank for any run of tabs and blanks.
        heading: the line that names the columns.
        lines: how many lines, and ``size`` how many bytes, end with it.
        plus_strand: whether letters are on the plus strand for sure.
    """

    vendor: str
    stated_assembly: str
    stated: bool
    roles: tuple[str, ...]
    separator: str
    heading: bytes
    lines: int
    size: int
    plus_strand: bool


def vendor_names() -> set[str]:
    """Every vendor whose files are told from others'."""
    return {name for _, name in (*_VENDORS, *_HEADINGS)} | {_NO_VENDOR}


def looks_like_consumer_file(start: bytes) -> bool:
    """Whether a file that begins so is to be read as consumer text, be it well-formed or not."""
    if start.startswith(b"##"):
        return False
    if start.startswith(_UTF_16_MARKS) or _MARKER.match(start.removeprefix(_BYTE_ORDER_MARK)):
        return True
    preamble = start[:PREAMBLE_BYTES].decode("latin-1").splitlines()[:_PREAMBLE_LINES]
    small = "\n".join(preamble).lower()
    vendor_known = any(re.search(pattern, small) for pattern, _ in _VENDORS)
    return vendor_known or "rsid" in small or "[header]" in small or any(map(columns_of, preamble))


def find_layout(source: Source, start: bytes) -> Layout:
    """Find the line that names the columns, and read it and what stands above.

    Raises:
        RejectedInputError: ``consumer.columns`` where no line does, ``consumer.encoding`` for UTF-16.
    """
    if start.startswith(_UTF_16_MARKS):
        source.refuse("encoding", "the text is in UTF-16", hint="export it again, or save it as UTF-8")
    size = 0
    comments: list[str] = []
    for number, raw in enumerate(start[:PREAMBLE_BYTES].splitlines(keepends=True), start=1):
        size += len(raw)
        heading = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
        line = heading.decode("latin-1").strip("\r\n")
        if (columns := columns_of(line)) is not None:
            heading = heading.rstrip(b"\r\n")
            return _layout(comments, line, columns, (heading, number, size), _next_line(start[size:]))
        if _MARKER.match(heading):
            break
        comments.append(line)
    sentence, hint = what_is_missing(comments) or (_NO_HEADING, f"{HINT}; {_MAKE_A_HEADING}")
    return source.refuse("columns", sentence, hint=hint)


def _layout(
    comments: Sequence[str],
    line: str,
    columns: tuple[tuple[str, ...], bool],
    place: tuple[bytes, int, int],
    first_marker: str,
) -> Layout:
    roles, plus_strand = columns
    above = "\n".join(comments)
    stated = assembly_by_name(above)
    separator = "\t" if "\t" in first_marker or "," not in first_marker else ","
    if roles == ("", "chromosome", "position", "allele 1", "allele 2") and separator == "\t":
        separator = " "  # AncestryDNA's files were seen with several tabs, and blanks, between two columns.
    heading, lines, size = place
    return Layout(
        vendor=_vendor(above, line),
        stated_assembly=stated or _USUAL_ASSEMBLY,
        stated=stated is not None,
        roles=roles,
        separator=separator,
        heading=heading,
        lines=lines,
        size=size,
        plus_strand=plus_strand,
    )


def _vendor(comments: str, line: str) -> str:
    small = comments.lower()
    named = (name for pattern, name in _VENDORS if re.search(pattern, small))
    by_heading = (name for pattern, name in _HEADINGS if re.match(pattern, line))
    vendor = next(named, None) or next(by_heading, _NO_VENDOR)
    version = _VERSION.search(comments)
    return f"{vendor} {version[1]}" if version else vendor


def _next_line(rest: bytes) -> str:
    """The first line that is a marker's."""
    lines = (line for line in rest[:PREAMBLE_BYTES].decode("latin-1").splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")
