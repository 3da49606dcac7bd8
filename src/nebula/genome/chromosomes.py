"""Chromosomes and genome assemblies: names, codes, lengths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names by VariantKey code; code 0 is no chromosome.
NAMES = ("", *(str(number) for number in range(1, 23)), "X", "Y", "MT")
X, Y, MT = 23, 24, 25

_CODES = {name: code for code, name in enumerate(NAMES) if name} | {"M": MT}

#: The first and last position of X outside the pseudo-autosomal regions, where men have one copy.
X_NOT_PSEUDOAUTOSOMAL = {
    "NCBI36": (2_709_521, 154_584_237),
    "GRCh37": (2_699_521, 154_931_043),
    "GRCh38": (2_781_480, 155_701_382),
}

# fmt: off
#: Lengths of chromosomes 1 to 22, X and Y, from the UCSC chain files of each assembly.
_LENGTHS = {
    "NCBI36": (
        247249719, 242951149, 199501827, 191273063, 180857866, 170899992, 158821424, 146274826, 140273252,
        135374737, 134452384, 132349534, 114142980, 106368585, 100338915, 88827254, 78774742, 76117153,
        63811651, 62435964, 46944323, 49691432, 154913754, 57772954,
    ),
    "GRCh37": (
        249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431,
        135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248,
        59128983, 63025520, 48129895, 51304566, 155270560, 59373566,
    ),
    "GRCh38": (
        248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717,
        133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285,
        58617616, 64444167, 46709983, 50818468, 156040895, 57227415,
    ),
}
# fmt: on

ASSEMBLIES = tuple(_LENGTHS)
#: Of any build's mitochondria.
_LONGEST_MT = 1 << 15
_POSITION = re.compile(r"[1-9][0-9]{0,8}")
#: The name of an autosome, with or without ``chr``; its number is the group.
AUTOSOME = re.compile(r"(?:chr)?([1-9]|1[0-9]|2[0-2])")

_SPELLINGS = {
    "NCBI36": re.compile(r"NCBI36|hg18|\bb36\b|\bbuild 36", re.IGNORECASE),
    "GRCh37": re.compile(r"GRCh37|hg19|hs37|\bb37\b|human_g1k_v37|\bbuild 37", re.IGNORECASE),
    "GRCh38": re.compile(r"GRCh38|hg38|hs38|\bb38\b|\bbuild 38", re.IGNORECASE),
}


def chromosome_code(name: str) -> int:
    """The VariantKey code of a chromosome's name, with or without ``chr``; 0 for any other contig."""
    return _CODES.get(name.removeprefix("chr"), 0)


def chromosome_lengths(assembly: str) -> tuple[int, ...]:
    """Lengths of chromosomes 1 to 22, X and Y in bases; those of GRCh38 for an assembly that is not known."""
    return _LENGTHS.get(assembly, _LENGTHS["GRCh38"])


def last_position(code: int, assembly: str) -> int:
    """The last 1-based position of a chromosome by its code; of MT, one that no build's goes beyond."""
    return _LONGEST_MT if code == MT else _LENGTHS[assembly][code - 1]


def parse_position(text: str, *, last: int) -> int | None:
    """The 1-based position that a text spells, if it is one up to ``last``: digits, and no zero before them."""
    # SECURITY: digits are counted before they are read, for Python refuses to read thousands of them.
    found = int(text) if _POSITION.fullmatch(text) else 0
    return found if 0 < found <= last else None


def assembly_by_lengths(lengths: Mapping[str, int | None]) -> str | None:
    """The only assembly that agrees with every declared chromosome length, if any length agrees at all."""
    candidates = []
    for assembly, known in _LENGTHS.items():
        pairs = [
            (length, known[code - 1])
            for name, length in lengths.items()
            if length is not None and 0 < (code := chromosome_code(name)) <= len(known)
        ]
        if pairs and all(declared == true for declared, true in pairs):
            candidates.append(assembly)
    return candidates[0] if len(candidates) == 1 else None


def assembly_by_name(text: str) -> str | None:
    """The only assembly that a text names, in any usual spelling."""
    found = [assembly for assembly, spelling in _SPELLINGS.items() if spelling.search(text)]
    return found[0] if len(found) == 1 else None
