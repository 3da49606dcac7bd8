"""The analyses that an enclave offers, by name and version.

A name never changes its meaning: what would change a result gets the next version.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nebula.analysis.parameters import (
    AlleleFrequency,
    ConditionalGwas,
    Discovery,
    KinshipCounts,
    LinearGwas,
    LogisticGwas,
    Missingness,
    Parameters,
    PopulationStructure,
    parameters_digest,
)
from nebula.analysis.projection_parameters import Projection
from nebula.analysis.region_parameters import RareVariants
from nebula.analysis.run_association import run_association
from nebula.analysis.run_conditional import run_conditional
from nebula.analysis.run_frequency import run_frequency
from nebula.analysis.run_kinship import run_kinship
from nebula.analysis.run_missingness import run_missingness
from nebula.analysis.run_phewas import run_phewas
from nebula.analysis.run_projection import run_projection
from nebula.analysis.run_rare import run_rare
from nebula.analysis.run_score import run_score
from nebula.analysis.run_structure import run_structure
from nebula.analysis.score_parameters import PolygenicScore, ScorePhewas, VariantPhewas
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nebula.analysis.inputs import CohortInput
    from nebula.analysis.result import AnalysisResult

# Each takes the analysis' name, its own parameters and the cohort.
_RUN: Mapping[type[Parameters], Callable[[str, Any, CohortInput], AnalysisResult]] = {
    LinearGwas: run_association,
    LogisticGwas: run_association,
    ConditionalGwas: run_conditional,
    AlleleFrequency: run_frequency,
    KinshipCounts: run_kinship,
    PopulationStructure: run_structure,
    PolygenicScore: run_score,
    RareVariants: run_rare,
    VariantPhewas: run_phewas,
    ScorePhewas: run_phewas,
    Missingness: run_missingness,
    Projection: run_projection,
}


def run(analysis: str, parameters: Parameters, cohort: CohortInput) -> AnalysisResult:
    """Run a named analysis over a cohort.

    Raises:
        RejectedInputError: no such analysis, a column that does not exist, or nobody to analyse.
    """
    parameters_digest(analysis, parameters)  # refuses parameters of another analysis
    if isinstance(parameters, Discovery):
        raise RejectedInputError("analysis.discovery", "a discovery answers questions; it has no one result")
    found = _RUN[type(parameters)](analysis, parameters, cohort)
    return replace(found, assembly=cohort.assembly)
