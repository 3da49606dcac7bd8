"""Where one person stands among the people of a reference cohort: on its components, and on a score.

Everything is computed on the variants that the person has a call at, for the reference's people, too: so what is
missing in a file shifts nothing, and is told as what it is, fewer variants.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.oadp import stranger_place
from nebula.analysis.products import genotypes_times, standardised_lines, transposed_genotypes_times
from nebula.analysis.score_match import Match, match_score
from nebula.analysis.scores import person_scores
from nebula.analysis.structure import leading_components, prune_linked
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Sites
    from nebula.analysis.scoring_file import ScoreVariant

COMPONENTS = 8
NEAREST = 20
#: Fewer variants put nobody anywhere.
ENOUGH_VARIANTS = 500
_COMMON = 0.05
_AUTOSOMES = 22


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood:
    """A person among a reference's people.

    Attributes:
        people: the reference's components, shape (samples, k), in the person's units.
        person: the person's, shape (k,).
        nearest: rows of the nearest people of the reference, the nearest first.
        variants: common, autosomal, LD-pruned variants that the person has, and all of these were computed on.
    """

    people: NDArray[np.float64]
    person: NDArray[np.float64]
    nearest: NDArray[np.int64]
    variants: int


@dataclass(frozen=True, slots=True, eq=False)
class ScoreStanding:
    """A person's score among those of a reference's people, all on the same variants.

    Attributes:
        person: the score; ``people`` those of the reference, shape (samples,).
        variants: that the scores are sums over; ``asked`` those of the scoring file.
        ambiguous: of those asked for, left out although the reference has them: A/T and C/G, whose strand a scoring
            file does not say, and where several of the reference's variants fit.
    """

    person: float
    people: NDArray[np.float64]
    variants: int
    asked: int
    ambiguous: int = 0

    def share_below(self, among: NDArray[np.bool_] | None = None) -> float:
        """Share of the reference's people, or of some of them, whose score is lower; equals count half."""
        scores = self.people if among is None else self.people[among]
        return float(((scores < self.person).sum() + 0.5 * (scores == self.person).sum()) / len(scores))


def place_on_components(
    dosage: NDArray[np.int8], matrix: PackedMatrix, chromosome: NDArray[np.integer]
) -> Neighbourhood:
    """Find a reference's components, and put a person among its people.

    Genotypes are standardised by the reference's frequencies. The person is taken for a stranger to the reference
    (see ``stranger_place``); one of its own people comes out somewhat farther from the centre than they are in it.

    Args:
        dosage: of the person, shape (variants,); -1 is missing.
        matrix: of the reference's people.
        chromosome: codes, shape (variants,), ascending.

    Raises:
        RejectedInputError: ``analysis.few-variants``.
    """
    frequency = np.nan_to_num(GenotypeCounts.of(matrix).frequency)
    usable = (dosage >= 0) & (np.minimum(frequency, 1 - frequency) >= _COMMON) & (chromosome <= _AUTOSOMES)
    rows = np.flatnonzero(usable)
    if len(rows):
        rows = rows[prune_linked(matrix.select_variants(rows), chromosome[rows])]
    if len(rows) < ENOUGH_VARIANTS:
        raise RejectedInputError(
            "analysis.few-variants",
            f"the record and the reference cohort share {len(rows):,} common variants: too few to place anybody",
            hint=f"{ENOUGH_VARIANTS} are needed: take a cohort with more of the record's sites",
        )
    chosen = matrix.select_variants(rows)
    found = leading_components(chosen, COMPONENTS, seed=1)
    lines = standardised_lines(GenotypeCounts.of(chosen))
    # Eigenvalues are of the relationship matrix, genotypes times themselves over variants.
    singular = np.sqrt(found.values * len(rows))
    loadings = genotypes_times(chosen, lines, found.vectors) / singular
    projected = transposed_genotypes_times(PackedMatrix.from_dosage(dosage[rows, None]), lines, loadings)[0]
    own = lines[:, 0] + lines[:, 1] * dosage[rows]
    person = stranger_place(projected, float(own @ own), singular) / singular
    # Components weigh as much as they tell people apart.
    distance = (((found.vectors - person) ** 2) * found.values).sum(axis=1)
    return Neighbourhood(found.vectors, person, np.argsort(distance, kind="stable")[:NEAREST], len(rows))


def stand_on_score(
    dosage: NDArray[np.int8], matrix: PackedMatrix, sites: Sites, variants: Sequence[ScoreVariant]
) -> ScoreStanding:
    """Score a person and a reference's people on the variants of a score that the person has a call at.

    Args:
        dosage: of the person, shape (sites,); -1 is missing.
        matrix: of the reference's people.
        sites: of both.
        variants: of the score, on the same build.
    """
    matched = match_score(variants, sites)
    ambiguous = matched.outcome.count(Match.AMBIGUOUS)
    kept = dosage[matched.rows] >= 0
    matched = replace(
        matched,
        rows=matched.rows[kept],
        effect_is_reference=matched.effect_is_reference[kept],
        weights=matched.weights[kept],
        places=matched.places[kept],
    )
    if not kept.any():
        return ScoreStanding(0.0, np.zeros(matrix.samples), 0, len(variants), ambiguous)
    both = np.column_stack([matrix.dosage(matched.rows), dosage[matched.rows]])
    of_both = replace(matched, rows=np.arange(len(matched.rows)))
    scores = person_scores(PackedMatrix.from_dosage(both), of_both, np.ones(len(matched.rows), np.bool_))
    return ScoreStanding(float(scores[-1]), scores[:-1], len(matched.rows), len(variants), ambiguous)
