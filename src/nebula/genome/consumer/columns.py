"""What each column of a consumer file holds: told by the line that names them, in whatever spelling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Names of columns as ``_words`` spells them, by what they hold.
_ROLES = {
    "chromosome": ("chromosome", "chrom", "chr"),
    "position": ("position", "pos"),
    "genotype": ("genotype", "result", "gt", "yourcode"),
    "strand": ("strand",),
    "sample": ("sample id", "sample name"),
}
#: Two columns of one allele each, the best first, and whether their letters are on the plus strand for sure.
_ALLELES = (
    ("allele1 plus", "allele2 plus", True),
    ("allele1", "allele2", True),
    ("allele 1", "allele 2", True),
    ("allele1 forward", "allele2 forward", False),
)
_MARKERS = ("rsid", "name", "snp name", "markername")
_NEEDED = {
    "marker": _MARKERS,
    "chromosome": _ROLES["chromosome"],
    "position": _ROLES["position"],
    "genotype": (*_ROLES["genotype"], *(name for pair in _ALLELES for name in pair[:2])),
}
_KNOWN = frozenset(name for names in (*_ROLES.values(), *_NEEDED.values()) for name in names)
#: Fewer known names than these may stand in any sentence.
_TELLING = 2
_LINES_LOOKED_AT = 100
_COLUMNS_SHOWN = 12
_LETTERS_SHOWN = 30


def columns_of(line: str) -> tuple[tuple[str, ...], bool] | None:
    """What each column holds, and whether letters are on the plus strand for sure, if a line names columns."""
    for names in _splits(line.lstrip("# ")):
        if (found := _roles([_words(name) for name in names])) is not None:
            return found
    return None


def what_is_missing(lines: Sequence[str]) -> tuple[str, str] | None:
    """Of lines none of which names all columns, say what the one lacks that comes closest, and which names would do.

    Returns:
        A sentence and a hint; None where no line names columns at all.
    """
    split = map(_best_split, lines[:_LINES_LOOKED_AT])
    number, names = max(enumerate(split, start=1), key=lambda one: _known_in(one[1]), default=(0, []))
    if _known_in(names) < _TELLING:
        return None
    words = [_words(name) for name in names]
    found = f"line {number} names the columns {_shown(names)}"
    missing = [role for role, spellings in _NEEDED.items() if not set(words) & set(spellings)]
    if missing:
        return f"{found}: none of them is known to hold the {' and the '.join(missing)}", _accepted(missing)
    return f"{found}: one of them twice, or one allele without the other", _accepted(["genotype"])


def _accepted(roles: list[str]) -> str:
    names = "; ".join(f"for the {role} {', '.join(_NEEDED[role])}" for role in roles)
    return f"give the raw data file as the vendor exports it; names that are known: {names}"


def _shown(names: list[str]) -> str:
    """Names from a file, fit to stand in a sentence."""
    clean = ["".join(filter(str.isprintable, name)).strip('" ')[:_LETTERS_SHOWN] for name in names[:_COLUMNS_SHOWN]]
    return ", ".join(clean) + (", …" if len(names) > _COLUMNS_SHOWN else "")


def _best_split(line: str) -> list[str]:
    return max(_splits(line.lstrip("# ")), key=_known_in)


def _known_in(names: list[str]) -> int:
    return len(_KNOWN.intersection(map(_words, names)))


def _splits(line: str) -> Iterator[list[str]]:
    yield line.split("\t")
    yield line.split(",")
    yield line.split()


def _words(name: str) -> str:
    """A column's name in small letters and single blanks: ``Allele1...Plus`` is ``allele1 plus``."""
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def _roles(names: list[str]) -> tuple[tuple[str, ...], bool] | None:
    if not set(_MARKERS).intersection(names) or len(set(names) - {""}) < len([name for name in names if name]):
        return None
    roles = [""] * len(names)
    for role, spellings in _ROLES.items():
        known = [names.index(spelling) for spelling in spellings if spelling in names]
        if known:
            roles[known[0]] = role
    pair = next((pair for pair in _ALLELES if {pair[0], pair[1]} <= set(names)), None)
    if pair is not None and "genotype" not in roles:
        roles[names.index(pair[0])], roles[names.index(pair[1])] = "allele 1", "allele 2"
    if not {"chromosome", "position"} <= set(roles) or not {"genotype", "allele 1"} & set(roles):
        return None
    return tuple(roles), pair is None or "genotype" in roles or pair[2]
