"""What an analysis found, before disclosure control."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nebula.analysis.parameters import parameters_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nebula.analysis.inputs import Table
    from nebula.analysis.parameters import Parameters


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisResult:
    """What an analysis found, before disclosure control. It must not leave the enclave as it is.

    Attributes:
        analysis: name and version.
        parameters: as they were asked for.
        table: one row per variant. Besides what is published it holds ``fewest``, on which floors decide.
        people: how many people the numbers are about.
        smallest_group: people in the rarest class of any classifying column used (trait or covariate).
        fitted: parameters estimated per variant from the cohort, beside the variant's own; 0 for counts.
        sites: variants looked at, before any was left out.
        left_out: people of the cohort whom the analysis itself left out, because of relatives.
        summary: other numbers about the cohort, none of them a count of people.
        more: further tables, by the names of their files.
        assembly: that positions are on; None where it is not known.
        leverage: the largest share that one person has in what was estimated, 0 to 1, where one number is about all.
    """

    analysis: str
    parameters: Parameters
    table: Table
    people: int
    smallest_group: int
    fitted: int
    sites: int
    left_out: int = 0
    summary: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Table] = field(default_factory=dict)
    leverage: float = 0.0
    assembly: str | None = None

    @property
    def digest(self) -> bytes:
        """Digest of analysis and parameters."""
        return parameters_digest(self.analysis, self.parameters)
