"""The sites of a ``.bim``: chromosome, id, centimorgans, position, first and second allele."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Every line of a ``.bim``.

    Attributes:
        chromosome: codes (sites,), 0 where the line is on none.
        pos: 1-based (sites,); 0 or less where a site has no place.
        first: A1, upper case, empty where it is not named (``0``): nobody carries it.
        second: A2, likewise.
    """

    chromosome: NDArray[np.uint8]
    pos: NDArray[np.int32]
    first: list[str]
    second: list[str]

    def __len__(self) -> int:
        return len(self.first)


def read_sites(source: Source) -> Sites:
    """Read a ``.bim``.

    Raises:
        RejectedInputError: ``plink.fields``, ``plink.position``, ``plink.allele`` with file and line.
    """
    codes: dict[bytes, int] = {}
    chromosomes, positions = bytearray(), []
    first: list[str] = []
    second: list[str] = []
    for line, (chromosome, _, _, pos, one, other) in lines_of(source):
        if chromosome not in codes:
            codes[chromosome] = _code(chromosome.decode("latin-1"))
        if _NUMBER.fullmatch(pos) is None or not -_LAST_POSITION < int(pos) <= _LAST_POSITION:
            source.refuse("position", f"line {line}, position: {pos[:20]!r} is no place on a chromosome")
        chromosomes.append(codes[chromosome])
        positions.append(int(pos))
        first.append(_allele(source, line, one))
        second.append(_allele(source, line, other))
        if first[-1] and first[-1] == second[-1]:
            source.refuse("allele", f"line {line}: both alleles are {first[-1][:20]}")
        if len(first) > _MOST_SITES:
            source.refuse("sites", f"more than {_MOST_SITES:,} sites")
    return Sites(np.frombuffer(bytes(chromosomes), np.uint8), np.array(positions, np.int32), first, second)


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
