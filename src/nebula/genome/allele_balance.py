"""Allele balance: at a heterozygous call of one person, either allele has about half of the reads.

Reads of somebody else in the sample push calls away from that: sites where only the other one differs are called
heterozygous on few reads. Calls whose share of ALT reads lies outside 0.2 to 0.8 are those that gnomAD leaves out
(Karczewski et al., Nature 581, 2020); by chance alone, 3 in 1,000 do at a depth of 20.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nebula.genome.inflate import Source

LEAST_DEPTH = 20
_LEAST_SHARE, _MOST_SHARE = 0.2, 0.8
_MOST_CALLS = 50_000
_ENOUGH_CALLS = 1000
_MOST_SKEWED = 0.1
_HETEROZYGOUS = frozenset({b"0/1", b"0|1", b"1|0"})
_COLUMNS = 10
_BASES = frozenset(b"ACGTacgt")
_DEPTH = re.compile(rb"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class AlleleBalance:
    """Heterozygous calls of single bases with a depth of at least 20, and how many of them lean to one allele."""

    calls: int
    skewed: int

    @property
    def suspicious(self) -> bool:
        """Whether so many lean that the sample may hold somebody else's reads, too."""
        return self.calls >= _ENOUGH_CALLS and self.skewed > _MOST_SKEWED * self.calls


def allele_balance(source: Source) -> AlleleBalance | None:
    """Look at the first 50,000 such calls of a VCF of one person.

    Args:
        source: a VCF in text, that :func:`nebula.genome.importing.import_genomes` has accepted.

    Returns:
        None where no call has AD.
    """
    calls = skewed = 0
    for _, line in source.byte_lines(longest=source.limits.line_bytes, code="line-too-long"):
        share = _alternate_share(line)
        if share is not None:
            calls += 1
            skewed += not _LEAST_SHARE <= share <= _MOST_SHARE
            if calls == _MOST_CALLS:
                break
    return AlleleBalance(calls, skewed) if calls else None


def _alternate_share(line: bytes) -> float | None:
    columns = line.rstrip(b"\r").split(b"\t")
    if len(columns) != _COLUMNS or line.startswith(b"#"):
        return None
    reference, alternate = columns[3:5]
    if not (len(reference) == len(alternate) == 1 and alternate[0] in _BASES):
        return None
    call = dict(zip(columns[8].split(b":"), columns[9].split(b":"), strict=False))
    if call.get(b"GT") not in _HETEROZYGOUS:
        return None
    depths = call.get(b"AD", b"").split(b",")
    if len(depths) != 2 or not all(map(_DEPTH.fullmatch, depths)):  # noqa: PLR2004 - one for each allele
        return None
    of_reference, of_alternate = map(int, depths)
    depth = of_reference + of_alternate
    return of_alternate / depth if depth >= LEAST_DEPTH else None
