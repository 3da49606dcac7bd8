"""The header of a VCF: version, definitions, contigs, samples."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nebula.genome.vcf.meta import Meta, MetaError, parse_meta
from nebula.genome.vcf.overlooked import Faults, Overlooked
from nebula.genome.vcf.reserved import reserved_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VERSION = re.compile(r"##fileformat=VCFv4\.(\d{1,2})")
_ANY_VERSION = re.compile(r"##fileformat=VCFv\d+\.\d+")
_OLDEST, _NEWEST = 1, 5
#: What a file that does not say it is taken for, in a lenient reading.
_USUAL = 2
_DEFINED_ONCE = ("INFO", "FORMAT", "FILTER", "ALT", "contig", "SAMPLE", "META")
_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]

#: As the native parser takes it: key, Number, Type, whether the specification reserves it, whether the header
#: declares it, whether negative values are refused.
RawDefinition = tuple[str, str, str, bool, bool, bool]


class HeaderError(ValueError):
    """The header breaks a rule."""

    def __init__(self, code: str, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class VcfHeader:
    """What stands above the records.

    Attributes:
        minor: the file says VCF 4.``minor``.
        samples: names, unique, in the order of the columns.
        lines: number of lines of the header.
        meta: all ``##`` lines behind the first.
        overlooked: faults that a lenient reading went on from.
    """

    minor: int
    samples: tuple[str, ...]
    lines: int
    meta: tuple[Meta, ...] = field(repr=False)
    overlooked: tuple[Overlooked, ...] = ()

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
        # GLE's values have colons of their own; nothing here reads them.
        reserved = {name: fixed for name, fixed in reserved_keys(key, self.minor).items() if name != "GLE"}
        known: dict[str, RawDefinition] = {}
        for name, fixed in reserved.items():
            number = fixed.number if fixed.counted else "."
            known[name] = (name, number, fixed.checked_as or fixed.kinds[0], True, False, fixed.natural)
        for meta in self.of(key):
            name, number, kind = (meta.fields[part] for part in ("ID", "Number", "Type"))
            if name in reserved:
                fixed = reserved[name]
                number, kind = number if fixed.counted else ".", fixed.checked_as or kind
                known[name] = (name, number, kind, True, True, fixed.natural)
            else:
                known[name] = (name, number, kind, False, True, False)
        return list(known.values())


def parse_header(lines: Sequence[str], *, max_samples: int, lenient: bool = False) -> VcfHeader:
    """Parse all lines up to and with ``#CHROM``.

    Args:
        lines: without their ends.
        max_samples: more are refused.
        lenient: whether a meta line that breaks a rule is left out and counted, and a version guessed.

    Raises:
        HeaderError: with the line's number and the rule.
    """
    faults = Faults() if lenient else None
    minor = _parse_version(lines[0], faults)
    meta = list(_parse_metas(lines[:-1], minor, faults))
    samples = _parse_columns(lines[-1], len(lines), max_samples)
    return VcfHeader(minor, samples, len(lines), tuple(meta), faults.all() if faults else ())


def _parse_version(line: str, faults: Faults | None) -> int:
    match = _VERSION.fullmatch(line)
    if match is not None and _OLDEST <= int(match[1]) <= _NEWEST:
        return int(match[1])
    if _ANY_VERSION.fullmatch(line):
        sentence = f"{line[13:]} is not among VCFv4.1 to VCFv4.5"
        if faults is None or match is None:
            raise HeaderError("version", 1, sentence)
        faults.add("vcf.version", 1, sentence)
        return min(max(int(match[1]), _OLDEST), _NEWEST)
    sentence = "the first line must be ##fileformat=VCFv4.x, x from 1 to 5"
    if faults is None or not line.startswith("#"):
        raise HeaderError("no-fileformat", 1, sentence)
    faults.add("vcf.no-fileformat", 1, sentence)
    return _USUAL


def _parse_metas(lines: Sequence[str], minor: int, faults: Faults | None) -> Iterator[Meta]:
    seen: dict[tuple[str, str], Meta] = {}
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.startswith("##fileformat="):
            continue
        try:
            meta = parse_meta(line, minor=minor)
            _check_defined_once(meta, seen)
        except MetaError as error:
            if faults is None:
                raise HeaderError("header", number, str(error)) from None
            faults.add("vcf.header", number, f"header: {error}")
        else:
            yield meta


def _check_defined_once(meta: Meta, seen: dict[tuple[str, str], Meta]) -> None:
    """The same line may stand twice; two that differ may not."""
    if meta.key == "fileformat":
        raise MetaError("the version is said in the first line alone")
    if meta.key not in _DEFINED_ONCE or "ID" not in meta.fields:
        return
    identifier = meta.key, meta.fields["ID"]
    first = seen.setdefault(identifier, meta)
    if meta.key == "contig":
        # What else is said of a contig differs from tool to tool.
        lengths = {one.fields["length"] for one in (first, meta) if "length" in one.fields}
        differ = len(lengths) > 1
    else:
        differ = first.text != meta.text
    if differ:
        raise MetaError(f"{' '.join(identifier)} is defined twice, differently")


def _parse_columns(line: str, number: int, max_samples: int) -> tuple[str, ...]:
    columns = line.split("\t")
    if columns[:8] != _COLUMNS:
        raise HeaderError("columns", number, f"the columns are {', '.join(_COLUMNS)}, between tabs")
    if len(columns) == len(_COLUMNS):
        return ()
    samples = columns[9:]
    if columns[8] != "FORMAT":
        raise HeaderError("columns", number, "behind INFO come FORMAT and at least one sample")
    if not samples:
        raise HeaderError("no-genotypes", number, "behind FORMAT stands no sample")
    if len(samples) > max_samples:
        raise HeaderError("samples", number, f"{len(samples)} samples, more than {max_samples}")
    names = set()
    for name in samples:
        if not name or not name.isprintable():
            raise HeaderError("samples", number, "a sample's name is empty or not printable")
        if name in names:
            raise HeaderError("duplicate-samples", number, f"the sample {name!r} stands twice")
        names.add(name)
    return tuple(samples)
