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
from nebula.genome.bases import other_strand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.scoring_file import ScoreVariant


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
    pairs = _Pairs.of(variants, sites)
    unclear = np.zeros(len(pairs.row), np.bool_) if keep_ambiguous else pairs.palindromic()
    effects = np.array([one.effect for one in variants], dtype=object)
    others = np.array([one.other or "" for one in variants], dtype=object)
    outcome = np.array([Match.MISSING] * len(variants), dtype=object)
    rows = np.full(len(variants), -1, dtype=np.int64)
    turned = np.zeros(len(variants), dtype=np.bool_)
    for kind in (Match.MATCHED, Match.FLIPPED):
        if kind is Match.FLIPPED:
            effects, others = _turn_all(effects), _turn_all(others)
        effect, other = effects[pairs.variant], others[pairs.variant]
        # The other strand is tried where nothing fits as it is written.
        fitting = (outcome == Match.MISSING)[pairs.variant] & pairs.fit(effect, other)
        found = np.bincount(pairs.variant[fitting], minlength=len(variants))
        outcome[found > 0] = Match.AMBIGUOUS
        told = np.flatnonzero(fitting & (found == 1)[pairs.variant] & ~unclear)
        outcome[pairs.variant[told]], rows[pairs.variant[told]] = kind, pairs.row[told]
        turned[pairs.variant[told]] = pairs.reference[told] == effect[told]
    matching = np.flatnonzero(rows >= 0)
    matching = matching[np.argsort(rows[matching], kind="stable")]
    again = np.diff(rows[matching], prepend=-1) == 0
    outcome[matching[again]] = Match.DUPLICATE
    places = matching[~again]
    weights = np.array([variants[place].weights for place in places.tolist()], dtype=np.float64).reshape(-1, 3)
    return MatchedScore(rows[places], turned[places], weights, tuple(outcome.tolist()), places)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Each variant beside each site of its place, in the order of the variants.

    Attributes:
        variant: which of the variants, int64, shape (pairs,).
        row: of the panel, likewise; ``reference`` and ``alternate`` are its alleles, as text.
    """

    variant: NDArray[np.int64]
    row: NDArray[np.int64]
    reference: NDArray[np.object_]
    alternate: NDArray[np.object_]

    @classmethod
    def of(cls, variants: Sequence[ScoreVariant], sites: Sites) -> _Pairs:
        places = sites.chromosome_numbers() << 32 | sites.position
        order = np.argsort(places, kind="stable")
        names = np.array([variant.chromosome for variant in variants], dtype=object)
        positions = np.array([variant.position for variant in variants], dtype=np.int64)
        wanted = Sites(names, positions, names, names).chromosome_numbers() << 32 | positions
        first, last = (np.searchsorted(places[order], wanted, side) for side in ("left", "right"))
        sizes = last - first
        variant = np.repeat(np.arange(len(variants)), sizes)
        # Where each pair stands among those of its variant, counted from the variant's first site.
        within = np.arange(len(variant)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        row = order[np.repeat(first, sizes) + within]
        return cls(variant, row, sites.reference[row].astype(object), sites.alternate[row].astype(object))

    def fit(self, effect: NDArray[np.object_], other: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether alleles are those of the site; an empty other allele may be either."""
        unsaid = other == ""
        as_alternate = (effect == self.alternate) & (unsaid | (other == self.reference))
        as_reference = (effect == self.reference) & (unsaid | (other == self.alternate))
        return np.asarray(as_alternate | as_reference, dtype=np.bool_)

    def palindromic(self) -> NDArray[np.bool_]:
        """Whether a site's alleles read alike on both strands."""
        return np.asarray(_turn_all(self.reference) == self.alternate, dtype=np.bool_)


def _turn_all(alleles: NDArray[np.object_]) -> NDArray[np.object_]:
    """The other strand's spelling of each, read in the same direction as the genome."""
    turned = {allele: other_strand(allele) for allele in set(alleles.tolist())}
    return np.array([turned[allele] for allele in alleles.tolist()], dtype=object)
