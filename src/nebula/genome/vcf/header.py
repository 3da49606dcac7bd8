"""The header of a VCF: version, definitions, contigs, samples."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nebula.genome.vcf.meta import Meta, MetaError, parse_meta
from nebula.genome.vcf.reserved import RESERVED

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION = re.compile(r"##fileformat=VCFv4\.([1-5])")
_ANY_VERSION = re.compile(r"##fileformat=VCFv\d+\.\d+")
_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]

#: As the native parser takes it: key, Number, Type, whether reserved, whether negative values are refused.
RawDefinition = tuple[str, str, str, bool, bool]


class HeaderError(ValueError):
    """The header breaks a rule."""

    def __init__(self, code: str, line: int, sentence: str, hint: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.line = line
        self.hint = hint


@dataclass(frozen=True, slots=True)
class VcfHeader:
    """What stands above the records.

    Attributes:
        minor: the file says VCF 4.``minor``.
        samples: names, unique, in the order of the columns.
        lines: number of lines of the header.
        meta: all ``##`` lines behind the first.
    """

    minor: int
    samples: tuple[str, ...]
    lines: int
    meta: tuple[Meta, ...] = field(repr=False)

    def of(self, key: str) -> list[Meta]:
        """The meta lines of one key."""
        return [meta for meta in self.meta if meta.key == key]

    def contig_lengths(self) -> dict[str, int | None]:
        """Declared contigs, with their lengths where they are given."""
        return {
            meta.fields["ID"]: int(meta.fields["length"]) if "length" in meta.fields else None
            for meta in self.of("contig")
        }

    def definitions(self, key: str) -> list[RawDefinition]:
        """Definitions of INFO or FORMAT: what the specification reserves, and what the file declares."""
        known: dict[str, RawDefinition] = {}
        for name, reserved in RESERVED[key].items():
            # GLE's values have colons of their own; nothing here reads them.
            if reserved.since <= self.minor and name != "GLE":
                kind = "Cigar" if name == "CIGAR" else reserved.kinds[0]
                known[name] = (name, reserved.number, kind, True, reserved.natural)
        for meta in self.of(key):
            name, number, kind = (meta.fields[part] for part in ("ID", "Number", "Type"))
            if name not in known:
                known[name] = (name, number, kind, False, False)
            elif name != "CIGAR":
                known[name] = (name, number, kind, True, known[name][4])
        return list(known.values())


def parse_header(lines: Sequence[str], *, max_samples: int) -> VcfHeader:
    """Parse all lines up to and with ``#CHROM``.

    Raises:
        HeaderError: with the line's number and the rule.
    """
    match = _VERSION.fullmatch(lines[0])
    if match is None:
        if _ANY_VERSION.fullmatch(lines[0]):
            raise HeaderError(
                "version", 1, f"{lines[0][13:]} is not among VCFv4.1 to VCFv4.5", "convert it with `bcftools view`"
            )
        raise HeaderError("no-fileformat", 1, "the first line must be ##fileformat=VCFv4.x, x from 1 to 5")
    minor = int(match[1])
    meta = []
    seen: dict[tuple[str, str], str] = {}
    for number, line in enumerate(lines[1:-1], start=2):
        try:
            parsed = parse_meta(line, minor=minor)
        except MetaError as error:
            raise HeaderError("header", number, str(error)) from None
        identifier = parsed.fields.get("ID", "")
        defines = parsed.key in RESERVED
        if defines and seen.setdefault((parsed.key, identifier), parsed.text) != parsed.text:
            raise HeaderError("header", number, f"{parsed.key} {identifier} is defined twice, differently")
        meta.append(parsed)
    samples = _parse_columns(lines[-1], len(lines), max_samples)
    return VcfHeader(minor, samples, len(lines), tuple(meta))


def _parse_columns(line: str, number: int, max_samples: int) -> tuple[str, ...]:
    columns = line.split("\t")
    if columns[:8] != _COLUMNS:
        raise HeaderError("columns", number, f"the columns are {', '.join(_COLUMNS)}, between tabs")
    if len(columns) == len(_COLUMNS):
        return ()
    samples = columns[9:]
    if columns[8] != "FORMAT" or not samples:
        raise HeaderError("columns", number, "behind INFO come FORMAT and at least one sample")
    if len(samples) > max_samples:
        raise HeaderError("samples", number, f"{len(samples)} samples, more than {max_samples}")
    names = set()
    for name in samples:
        if not name or not name.isprintable():
            raise HeaderError("samples", number, "a sample's name is empty or not printable")
        if name in names:
            raise HeaderError(
                "duplicate-samples", number, f"the sample {name!r} stands twice", "give every person one name"
            )
        names.add(name)
    return tuple(samples)
