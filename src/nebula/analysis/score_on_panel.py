"""A study's score on its panel: the build must be the panel's, and enough of the rows must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.analysis.score_match import match_score
from nebula.analysis.score_parameters import ScoreWeights
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nebula.analysis.inputs import CohortInput, Sites
    from nebula.analysis.projection_parameters import Projection
    from nebula.analysis.score_match import MatchedScore
    from nebula.analysis.scoring_file import ScoreVariant


def matched_on_panel(parameters: ScoreWeights | Projection, cohort: CohortInput) -> MatchedScore:
    """Match the score's rows with the cohort's panel; refuses as ``match_panel``."""
    return match_panel(parameters, _variants(parameters, cohort), cohort.sites, cohort.assembly)


def match_panel(
    parameters: ScoreWeights | Projection, variants: Sequence[ScoreVariant], sites: Sites, assembly: str | None
) -> MatchedScore:
    """Match the rows of a score with a panel's sites.

    Raises:
        RejectedInputError: ``analysis.build``, or ``analysis.score-match`` where too few of them are there.
    """
    require_build(parameters, assembly)
    keep_ambiguous = isinstance(parameters, ScoreWeights) and parameters.keep_ambiguous
    matched = match_score(variants, sites, keep_ambiguous=keep_ambiguous)
    if not len(matched.rows) or matched.share < parameters.minimum_matched:
        raise RejectedInputError(
            "analysis.score-match",
            f"{len(matched.rows)} of the score's {len(matched.outcome)} variants are on the panel: too few",
            hint="lower minimum_matched, or ask for a panel that has them",
        )
    return matched


def require_build(parameters: ScoreWeights | Projection, assembly: str | None) -> None:
    """Refuse a score on another build than the panel's, ``analysis.build``."""
    if parameters.build != assembly:
        raise RejectedInputError(
            "analysis.build",
            f"the score is on {parameters.build}, the panel on {assembly or 'no build that is known'}",
            hint="take the score's file harmonised to the panel's build",
        )


def _variants(parameters: ScoreWeights | Projection, cohort: CohortInput) -> Sequence[ScoreVariant]:
    if not isinstance(parameters, ScoreWeights) or parameters.score_object is None:
        return parameters.variants
    if cohort.score is None:
        raise ValueError("the score's object was not read")
    return cohort.score
