"""The sites of a ``.bim`` or ``.pvar``: chromosome, position, the two alleles, and which filters a site failed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.calls import MOST_NAMES
from nebula.genome.chromosomes import MT, X, Y, chromosome_code
from nebula.genome.plink.files import lines_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

#: PLINK counts X, Y, the pseudo-autosomal regions of X, and the mitochondria on from 22; 25 is not our 25.
_CODES = {"23": X, "24": Y, "25": X, "26": MT, "XY": X, "PAR1": X, "PAR2": X}
_NUMBER = re.compile(rb"-?[0-9]{1,9}")
_MOST_SITES = 100_000_000
_LAST_POSITION = 1 << 28
_NOT_NAMED = (b"0", b".")
_COLUMNS = (b"CHROM", b"ID", b"CM", b"POS", b"ALT", b"REF")
_WANTED = (b"CHROM", b"POS", b"ALT", b"REF", b"FILTER")
_NO_FILTER = b"."


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Every site of a ``.bim`` or ``.pvar``.

    Attributes:
        chromosome: codes (sites,), 0 where the line is on none.
        pos: 1-based (sites,); 0 or less where a site has no place.
        first: A1, or all of ALT, upper case, empty where it is not named (``0``): nobody carries it.
        second: A2, or REF, likewise.
        filter: numbers (sites,), into ``filters``.
        filters: FILTER values as VCF has them; ``.`` alone where the file has no such column.
        first_line: the number of the line that the first site stands on.
    """

    chromosome: NDArray[np.uint8]
    pos: NDArray[np.int32]
    first: list[str]
    second: list[str]
    filter: NDArray[np.uint16]
    filters: list[str]
    first_line: int

    def __len__(self) -> int:
        return len(self.first)

    def line(self, row: int) -> int:
        """The number of the line that a site stands on."""
        return self.first_line + row

    def alleles(self) -> NDArray[np.int64]:
        """How many alleles each site has, shape (sites,)."""
        return np.array([2 + one.count(",") for one in self.first], np.int64)


def read_sites(source: Source) -> Sites:
    """Read a ``.bim``, or a ``.pvar``.

    Raises:
        RejectedInputError: ``plink.fields``, ``plink.columns``, ``plink.position``, ``plink.allele``, ``plink.filters``
            with file and line; ``plink.sites``, ``plink.no-sites``.
    """
    codes: dict[bytes, int] = {}
    filters: dict[bytes, int] = {}
    chromosomes, positions, failed = bytearray(), [], []
    first: list[str] = []
    second: list[str] = []
    first_line = 0
    for line, fields in lines_of(source, _WANTED, unnamed=_COLUMNS, optional=(b"FILTER",)):
        chromosome, pos, one, other = (field or b"" for field in fields[:4])
        if chromosome not in codes:
            codes[chromosome] = _code(chromosome.decode("latin-1"))
        if _NUMBER.fullmatch(pos) is None or not -_LAST_POSITION < int(pos) <= _LAST_POSITION:
            source.refuse("position", f"line {line}, position: {pos[:20]!r} is no place on a chromosome")
        first_line = first_line or line
        chromosomes.append(codes[chromosome])
        positions.append(int(pos))
        failed.append(filters.setdefault(fields[4] or _NO_FILTER, len(filters)))
        first.append(_allele(source, line, one))
        second.append(_allele(source, line, other))
        if first[-1] and first[-1] == second[-1]:
            source.refuse("allele", f"line {line}: both alleles are {first[-1][:20]}")
        if len(first) > _MOST_SITES:
            source.refuse("sites", f"more than {_MOST_SITES:,} sites")
        if len(filters) > MOST_NAMES:
            source.refuse("filters", f"line {line}, FILTER: more than {MOST_NAMES:,} different values")
    if not first:
        source.refuse("no-sites", "it names columns, and no site")
    return Sites(
        np.frombuffer(bytes(chromosomes), np.uint8),
        np.array(positions, np.int32),
        first,
        second,
        np.array(failed, np.uint16),
        [name.decode("latin-1") for name in filters],
        first_line,
    )


def _code(name: str) -> int:
    bare = name.removeprefix("chr").upper()
    return _CODES.get(bare, 0) or chromosome_code(bare)


def _allele(source: Source, line: int, raw: bytes) -> str:
    if raw in _NOT_NAMED:
        return ""
    try:
        return raw.decode("ascii").upper()
    except UnicodeDecodeError:
        source.refuse("allele", f"line {line}: an allele is not written in ASCII letters")
