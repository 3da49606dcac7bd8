"""Where a score's variants lie on a panel, and which of the panel's alleles is the weighed one.

In this order, for each row: (1) its place on the panel; (2) its alleles as they are written; (3) those of the other
strand. A pair of alleles that reads alike on both strands (A/T, C/G) says nothing about its strand: such a row is left
out unless the caller knows that the score is on the forward strand. A row without other allele matches where its place
holds one variant only. The first row of a site counts; what comes later for the same site is left out, and told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.inputs import Sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.scoring_file import ScoreVariant

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Match(StrEnum):
    """What became of a score's row."""

    MATCHED = "matched"
    FLIPPED = "flipped"  # matched on the other strand
    AMBIGUOUS = "ambiguous"  # its strand, or which variant of its place is meant, cannot be told
    DUPLICATE = "duplicate"  # a row before it is about the same site
    MISSING = "missing"  # the panel has no such variant


@dataclass(frozen=True, slots=True, eq=False)
class MatchedScore:
    """The rows that match, by site.

    Attributes:
        rows: of the panel, int64, ascending, shape (matched,).
        effect_is_reference: whether the reference allele is the weighed one, shape (matched,).
        weights: of none, one and two copies of the *effect* allele, shape (matched, 3).
        outcome: what became of each row of the score, in its order.
        places: which row of the score each matched one is, shape (matched,).
    """

    rows: NDArray[np.int64]
    effect_is_reference: NDArray[np.bool_]
    weights: NDArray[np.float64]
    outcome: tuple[Match, ...]
    places: NDArray[np.int64]

    def report(self) -> dict[str, int]:
        """Rows by what became of them."""
        return {kind.value: self.outcome.count(kind) for kind in Match}

    @property
    def share(self) -> float:
        """Share of the score's rows that match."""
        return len(self.rows) / len(self.outcome)


def match_score(variants: Sequence[ScoreVariant], sites: Sites, *, keep_ambiguous: bool = False) -> MatchedScore:
    """Match a score's variants with a panel's sites.

    Args:
        variants: on the panel's build.
        sites: of the panel, in any order.
        keep_ambiguous: take A/T and C/G as they are written: on the forward strand.
    """
    candidates = _rows_of_places(variants, sites)
    outcome: list[Match] = []
    found: dict[int, tuple[bool, int]] = {}
    for number, (variant, rows) in enumerate(zip(variants, candidates, strict=True)):
        kind, row, turned = _match_one(variant, rows, sites, keep_ambiguous=keep_ambiguous)
        if row in found:
            kind = Match.DUPLICATE
        elif row is not None:
            found[row] = (turned, number)
        outcome.append(kind)
    rows_found = np.array(sorted(found), dtype=np.int64)
    turned_found = np.array([found[row][0] for row in rows_found.tolist()], dtype=np.bool_)
    places = np.array([found[row][1] for row in rows_found.tolist()], dtype=np.int64)
    weights = np.array([variants[place].weights for place in places.tolist()], dtype=np.float64).reshape(-1, 3)
    return MatchedScore(rows_found, turned_found, weights, tuple(outcome), places)


def _rows_of_places(variants: Sequence[ScoreVariant], sites: Sites) -> list[NDArray[np.int64]]:
    """For each variant the rows at its chromosome and position."""
    places = sites.chromosome_numbers() << 32 | sites.position
    order = np.argsort(places, kind="stable")
    names = np.array([variant.chromosome for variant in variants])
    positions = np.array([variant.position for variant in variants], dtype=np.int64)
    empty = np.array([""] * len(names), dtype=object)
    wanted = Sites(names, positions, empty, empty).chromosome_numbers() << 32 | positions
    first, last = (np.searchsorted(places[order], wanted, side) for side in ("left", "right"))
    return [order[start:stop] for start, stop in zip(first, last, strict=True)]


def _match_one(
    variant: ScoreVariant, rows: NDArray[np.int64], sites: Sites, *, keep_ambiguous: bool
) -> tuple[Match, int | None, bool]:
    """Return what becomes of a variant, the row that it matches, and whether its effect allele is the reference."""
    for kind, effect, other in (
        (Match.MATCHED, variant.effect, variant.other),
        (Match.FLIPPED, _turn(variant.effect), variant.other and _turn(variant.other)),
    ):
        fitting = [
            (int(row), sites.reference[row] == effect)
            for row in rows
            if _fits(effect, other, str(sites.reference[row]), str(sites.alternate[row]))
        ]
        if len(fitting) > 1:
            return Match.AMBIGUOUS, None, False
        if fitting:
            row, turned = fitting[0]
            if not keep_ambiguous and _turn(str(sites.reference[row])) == sites.alternate[row]:
                return Match.AMBIGUOUS, None, False
            return kind, row, bool(turned)
    return Match.MISSING, None, False


def _fits(effect: str, other: str | None, reference: str, alternate: str) -> bool:
    if other is None:
        return effect in (reference, alternate)
    return {effect, other} == {reference, alternate}


def _turn(allele: str) -> str:
    """The other strand's spelling, read in the same direction as the genome."""
    return allele.translate(_COMPLEMENT)[::-1]
