"""PGS Catalog scoring files, read strictly: formatted (2.0) and harmonised (``hm_*``).

A row becomes one variant with what nobody, one copy and two copies of its effect allele weigh: so additive, dominant,
recessive and dosage-specific weights are one thing from here on. What weighs several variants together (haplotypes,
diplotypes, interactions, HLA types) is no such row: the file is refused, or these rows are counted and left out where
the caller says so. Positions are those of the harmonised build where the file has one, else of its own.

Source: Lambert et al., Nature Genetics 53 (2021); format 2.0, https://www.pgscatalog.org/downloads/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nebula.analysis.plain_text import decimal_number, text_lines
from nebula.genome.chromosomes import parse_position
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_ROWS = 5_000_000
#: That a VariantKey can name.
LAST_POSITION = (1 << 28) - 1
#: 25 is MT in some files, and what X and Y share in others.
_CHROMOSOME = re.compile(r"(?:chr)?([1-9]|1[0-9]|2[0-4]|X|Y|MT?)", re.ASCII | re.IGNORECASE)
_NAMES = {"23": "X", "24": "Y", "M": "MT"}
_ALLELE = re.compile(r"\A[ACGT]+\Z")
_BUILDS = {"GRCh37": "GRCh37", "hg19": "GRCh37", "GRCh38": "GRCh38", "hg38": "GRCh38"}
_COMPLEX_FLAGS = ("is_haplotype", "is_diplotype", "is_interaction")
_KNOWN_FLAGS = {*_COMPLEX_FLAGS, "is_dominant", "is_recessive", "is_duplicated"}
_DOSAGE_WEIGHTS = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")
#: Of ``weight_type``, which is written as people please; a word in capitals, for ``or`` is one of English too.
_RATIO = re.compile(r"\b[A-Za-z]?(?:OR|HR|RR)s?\b|(?i:\A(?:OR|HR|RR)\Z|ratio|odds|relative risk|\bexp\b)")
_LOGARITHM = re.compile(r"\b(?:log(?!istic)|ln)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ScoreVariant:
    """One row of a score.

    Attributes:
        chromosome: 1 to 22, X, Y or MT.
        position: 1-based.
        effect: the allele that is weighed.
        other: the allele it is compared with; None where the file does not say.
        weights: of none, one and two copies of the effect allele.
    """

    chromosome: str
    position: int
    effect: str
    other: str | None
    weights: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ScoringFile:
    """A score, as its file has it.

    Attributes:
        name: the PGS id, or an empty text.
        build: GRCh37 or GRCh38; None where the file does not say.
        variants: the rows that one variant each decides about, in the file's order.
        left_out: rows that are not among them, by reason: ``unplaced`` (no position), ``off_chromosomes``, ``complex``.
    """

    name: str
    build: str | None
    variants: tuple[ScoreVariant, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def parse_scoring_file(text: str, *, leave_out_complex: bool = False) -> ScoringFile:
    """Parse a scoring file.

    Args:
        text: decompressed.
        leave_out_complex: count rows that are no single variant instead of refusing the file.

    Raises:
        RejectedInputError: ``score.*``, with the line where there is one.
    """
    # SECURITY: the file is a stranger's.
    lines = enumerate(text_lines(text), start=1)
    header, names, line = _read_header(lines)
    columns = _Columns.of(names, header, line=line)
    variants: list[ScoreVariant] = []
    left_out = {"unplaced": 0, "off_chromosomes": 0, "complex": 0}
    for row in _rows(lines, columns):
        found = _parse_row(row, columns, leave_out_complex=leave_out_complex)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            variants.append(found)
    if not variants:
        raise RejectedInputError("score.empty", "no row of this scoring file is a variant with a position")
    return ScoringFile(header.get("pgs_id", ""), columns.build, tuple(variants), left_out)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Sequence[str]
    places: Mapping[str, int]

    def get(self, name: str) -> str:
        """The cell of a column that may not be there, and that a short line may not have."""
        place = self.places.get(name, len(self.cells))
        return self.cells[place].strip() if place < len(self.cells) else ""

    def refused(self, code: str, what: str, hint: str | None = None) -> RejectedInputError:
        return RejectedInputError(f"score.{code}", f"line {self.line}: {what}", hint=hint)


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    chromosome: str
    position: str
    build: str | None
    flags: tuple[str, ...]
    by_dosage: bool

    @classmethod
    def of(cls, names: Sequence[str], header: Mapping[str, str], *, line: int) -> _Columns:
        """Find out what stands where, and on which build."""
        names = tuple(name.strip() for name in names)
        place = f"line {line}"
        if len(set(names)) != len(names):
            raise RejectedInputError("score.columns", f"{place}: a column stands there twice")
        by_dosage = all(name in names for name in _DOSAGE_WEIGHTS)
        if "effect_allele" not in names or not (by_dosage or "effect_weight" in names):
            raise RejectedInputError(
                "score.columns", f"{place}: a scoring file has the columns effect_allele and effect_weight"
            )
        harmonised = "hm_chr" in names and "hm_pos" in names
        if not harmonised and not ("chr_name" in names and "chr_position" in names):
            raise RejectedInputError(
                "score.no-positions",
                f"{place}: no columns hm_chr and hm_pos, nor chr_name and chr_position: variants have no position",
                hint="take the score's harmonised file from the PGS Catalog",
            )
        own = header.get("genome_build", header.get("original_genome_build", "NR"))
        said = header.get("hmpos_build", "NR") if harmonised else own
        if said != "NR" and said not in _BUILDS:
            raise RejectedInputError(
                "score.build", f"positions are on {said}", hint="take the file harmonised to GRCh37 or GRCh38"
            )
        flags = tuple(name for name in names if name.startswith("is_"))
        chromosome, position = ("hm_chr", "hm_pos") if harmonised else ("chr_name", "chr_position")
        return cls(names, chromosome, position, _BUILDS.get(said), flags, by_dosage)


def _read_header(lines: Iterator[tuple[int, str]]) -> tuple[dict[str, str], list[str], int]:
    """Return what the comments say, the table's columns, and the line that these stand in.

    Names in comments are as format 2.0 has them, in small letters; ``PGS ID`` of the format before is ``pgs_id``.
    """
    header: dict[str, str] = {}
    for number, line in lines:
        if not line.startswith("#"):
            _check_header(header)
            return header, line.split("\t"), number
        name, equals, value = line.lstrip("#").strip().partition("=")
        if equals:
            header[name.strip().lower().replace(" ", "_")] = value.strip()
    raise RejectedInputError("score.empty", "this scoring file has no table")


def _check_header(header: Mapping[str, str]) -> None:
    version = header.get("format_version", "2.0")
    if version != "2.0":
        raise RejectedInputError("score.version", f"this is format {version}; 2.0 is read")
    _check_weight_type(header.get("weight_type", ""))


def _check_weight_type(kind: str, place: str = "") -> None:
    said = kind.replace("_", " ")
    if _RATIO.search(said) and not _LOGARITHM.search(said):
        raise RejectedInputError(
            "score.weight-type",
            f"{place}the weights are {kind[:40]}: ratios do not add up",
            hint="take their logarithms",
        )


def _rows(lines: Iterator[tuple[int, str]], columns: _Columns) -> Iterator[_Row]:
    places = {name: place for place, name in enumerate(columns.names)}
    for count, (number, line) in enumerate(lines):
        if count == MAX_ROWS:
            raise RejectedInputError("score.too-long", f"a score has at most {MAX_ROWS:,} rows")
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) > len(places):
            raise RejectedInputError("score.row", f"line {number}: {len(cells)} cells under {len(places)} columns")
        yield _Row(number, cells, places)


def _parse_row(row: _Row, columns: _Columns, *, leave_out_complex: bool) -> ScoreVariant | str:
    """Return the variant, or the reason why the row is none."""
    problem = _complexity(row, columns)
    if problem is not None:
        if leave_out_complex:
            return "complex"
        raise row.refused(
            "complex",
            f"{problem}: such a row is no single variant, and cannot be scored here",
            "leave complex rows out (--without-complex), or take another score",
        )
    weights = _weights(row, columns)
    chromosome, position = row.get(columns.chromosome), row.get(columns.position)
    if not chromosome or not position:
        return "unplaced"
    matched = _CHROMOSOME.fullmatch(chromosome)
    if matched is None:
        return "off_chromosomes"
    place = parse_position(position, last=LAST_POSITION)
    if place is None:
        raise row.refused("position", f"{columns.position} is {position[:40]!r}, not a 1-based position")
    name = matched[1].upper()
    return ScoreVariant(_NAMES.get(name, name), place, row.get("effect_allele").upper(), _other(row), weights)


def _complexity(row: _Row, columns: _Columns) -> str | None:
    for name in columns.flags:
        said = row.get(name).upper()
        if said not in {"", "TRUE", "FALSE"}:
            raise row.refused("flag", f"{name} is {said!r}, not True or False")
        if said == "TRUE" and (name in _COMPLEX_FLAGS or name not in _KNOWN_FLAGS):
            return f"{name} is true"
    effect, other = row.get("effect_allele").upper(), row.get("other_allele").upper()
    for allele in (effect, other):
        if allele and not _ALLELE.match(allele):
            return f"an allele is {allele[:40]!r}"
    if not effect:
        raise row.refused("allele", "there is no effect allele")
    if effect == other:
        raise row.refused("allele", f"effect and other allele are both {effect}")
    return None


def _other(row: _Row) -> str | None:
    """The other allele; the one that harmonising inferred, where it is one only."""
    said = row.get("other_allele").upper()
    if said:
        return said
    inferred = row.get("hm_inferOtherAllele").upper()
    return inferred if _ALLELE.match(inferred) and inferred != row.get("effect_allele").upper() else None


def _weights(row: _Row, columns: _Columns) -> tuple[float, float, float]:
    if kind := row.get("weight_type"):
        _check_weight_type(kind, f"line {row.line}: ")
    dominant, recessive = (
        name in columns.flags and row.get(name).upper() == "TRUE" for name in ("is_dominant", "is_recessive")
    )
    by_dosage = columns.by_dosage and any(row.get(name) for name in _DOSAGE_WEIGHTS)
    if dominant + recessive + by_dosage > 1:
        raise row.refused("model", "a row is dominant, recessive or weighed by dosage: one of these")
    if by_dosage:
        none, one, two = (_number(row, name) for name in _DOSAGE_WEIGHTS)
        return none, one, two
    weight = _number(row, "effect_weight")
    return 0.0, 0.0 if recessive else weight, weight if dominant or recessive else 2 * weight


def _number(row: _Row, name: str) -> float:
    value = decimal_number(row.get(name))
    if not abs(value) < 1e30:  # noqa: PLR2004 - NaN and infinity too
        raise row.refused("weight", f"{name} is {row.get(name)!r}, not a number")
    return value
