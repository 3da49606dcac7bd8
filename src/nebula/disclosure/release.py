"""The gate: what an enclave found goes in, what may leave comes out, or a refusal.

In this order, for every result class:
1. the cohort is as large as production's floor, the study's own and the class' demand, in records and in
   people analysed;
2. every record used allows the class, and ``full`` goes to accredited buyers only;
3. nobody stands in a class of fewer than ten by trait or covariate, the model is small for its cohort, and
   no single person makes up more of what was estimated than one of ten who are alike would;
4. rows below the cell floor go;
5. what is left is cut down to the class, rounded, masked or noised.
No argument turns a step off. The result of step 5 is all that ``Released`` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nebula.analysis.parameters import (
    AlleleFrequency,
    ConditionalGwas,
    KinshipCounts,
    LinearGwas,
    LogisticGwas,
    Missingness,
    Parameters,
    PopulationStructure,
    analysed_columns,
)
from nebula.analysis.projection_parameters import Projection
from nebula.analysis.region_parameters import RareVariants
from nebula.analysis.score_parameters import PolygenicScore, ScorePhewas, VariantPhewas
from nebula.disclosure import floors as limits
from nebula.disclosure.cut_people import cut_missingness, cut_projection
from nebula.disclosure.cut_phewas import cut_phewas
from nebula.disclosure.cut_regions import cut_regions
from nebula.disclosure.cut_score import cut_score
from nebula.disclosure.cuts import cut_associations, cut_frequencies, cut_kinship, cut_structure
from nebula.disclosure.released import Cut, ReleaseContext, Released, ReleaseTerms
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.study import ResultClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from nebula.analysis.result import AnalysisResult

__all__ = ["OFFERED", "ReleaseContext", "ReleaseTerms", "Released", "release", "require_offered"]

# Which classes each analysis has. Noise on associations would have to be calibrated first.
OFFERED: dict[type[Parameters], tuple[ResultClass, ...]] = {
    LinearGwas: (ResultClass.HITS, ResultClass.FULL),
    LogisticGwas: (ResultClass.HITS, ResultClass.FULL),
    ConditionalGwas: (ResultClass.HITS, ResultClass.FULL),
    AlleleFrequency: (ResultClass.NOISED, ResultClass.FULL),
    KinshipCounts: (ResultClass.FULL,),
    PopulationStructure: (ResultClass.FULL,),
    PolygenicScore: (ResultClass.FULL,),
    RareVariants: (ResultClass.HITS, ResultClass.FULL),
    VariantPhewas: (ResultClass.FULL,),
    ScorePhewas: (ResultClass.FULL,),
    Missingness: (ResultClass.FULL,),
    Projection: (ResultClass.FULL,),
}
_CUTS: dict[type[Parameters], Callable[[AnalysisResult, ReleaseTerms], Cut]] = {
    LinearGwas: cut_associations,
    LogisticGwas: cut_associations,
    ConditionalGwas: cut_associations,
    AlleleFrequency: cut_frequencies,
    KinshipCounts: cut_kinship,
    PopulationStructure: cut_structure,
    PolygenicScore: cut_score,
    RareVariants: cut_regions,
    VariantPhewas: cut_phewas,
    ScorePhewas: cut_phewas,
    Missingness: cut_missingness,
    Projection: cut_projection,
}


def release(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> Released:
    """Cut a result down to what may leave.

    Raises:
        NotPermittedError: a floor or a consent says no; the code says which.
    """
    _check_cohort(result, terms, context)
    _check_class(result, terms, context)
    _check_groups(result)
    _check_one_person(result)
    _check_left_out(result)
    cut = _CUTS[type(result.parameters)](result, terms)
    return Released(
        analysis=result.analysis,
        result_class=terms.result_class,
        table=cut.table,
        quantiles=cut.quantiles,
        summary=_summary(result, terms, context) | dict(cut.found),
        micro_rho=cut.micro_rho,
        file=cut.file,
        more=cut.more,
    )


def _check_cohort(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> None:
    floor = max(context.floors.minimum_cohort, terms.minimum_records)
    if terms.result_class is ResultClass.FULL:
        floor = max(floor, limits.MINIMUM_FULL_COHORT)
    if result.people > context.records:
        raise ValueError(f"{result.people} people cannot come from {context.records} records")
    if result.people < floor:
        raise NotPermittedError(
            "disclosure.cohort-too-small",
            f"a {terms.result_class} result of this study is about at least {floor:,} people",
            hint="people without the trait or a covariate are not counted",
        )


def _check_class(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> None:
    if context.records_allowing < context.records:
        raise NotPermittedError(
            "disclosure.class-not-consented", f"not every record used allows a {terms.result_class} result"
        )
    if terms.result_class is ResultClass.FULL and not context.buyer_accredited:
        raise NotPermittedError("disclosure.not-accredited", "complete summary statistics go to accredited buyers only")
    require_offered(result.analysis, result.parameters, terms.result_class)
    if terms.result_class is ResultClass.NOISED and terms.micro_rho <= 0:
        raise NotPermittedError("disclosure.no-budget", "a noised result needs a privacy budget above zero")


def require_offered(analysis: str, parameters: Parameters, result_class: ResultClass) -> None:
    """Refuse a class of result that an analysis does not have.

    Raises:
        NotPermittedError: ``disclosure.class-not-offered``.
    """
    offered = OFFERED[type(parameters)]
    if result_class not in offered:
        raise NotPermittedError(
            "disclosure.class-not-offered",
            f"{analysis} has no {result_class} results",
            hint=f"ask for {' or '.join(offered)}",
        )
    grouped = isinstance(parameters, AlleleFrequency) and bool(analysed_columns(parameters))
    if result_class is ResultClass.NOISED and grouped:
        raise NotPermittedError(
            "disclosure.class-not-offered", "frequencies by group or sex have no noised results", hint="ask for full"
        )


def _check_groups(result: AnalysisResult) -> None:
    if result.smallest_group < limits.MINIMUM_CELL:
        raise NotPermittedError(
            "disclosure.group-too-small",
            f"a class of the trait or of a covariate has fewer than {limits.MINIMUM_CELL} people",
            hint="join rare classes, or leave the covariate out",
        )
    if result.people < limits.MINIMUM_PEOPLE_PER_PARAMETER * result.fitted:
        raise NotPermittedError(
            "disclosure.saturated",
            f"{result.fitted} covariates are too many for {result.people} people",
            hint=f"at least {limits.MINIMUM_PEOPLE_PER_PARAMETER} people for each of them",
        )


def _check_one_person(result: AnalysisResult) -> None:
    """Weights and covariates are the buyer's to choose: they could be such that a number is about one person."""
    if result.leverage > 1 / limits.MINIMUM_CELL:
        raise NotPermittedError(
            "disclosure.one-person",
            f"one person alone would make up more than a {limits.MINIMUM_CELL}th of what is estimated",
            hint="use a score of more variants, or of commoner ones",
        )


def _check_left_out(result: AnalysisResult) -> None:
    """The same people with and without their relatives are two cohorts that must differ in enough people."""
    if 0 < result.left_out < limits.MINIMUM_DIFFERENCE:
        raise NotPermittedError(
            "disclosure.differencing",
            f"fewer than {limits.MINIMUM_DIFFERENCE} people would be left out as relatives of others",
            hint="keep relatives",
        )


def _summary(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> dict[str, Any]:
    """What every result says of itself. Sizes only: nothing here depends on single genotypes."""
    return {
        "analysis": result.analysis,
        "analysis_digest": result.digest.hex(),
        "coordinate_system": "1-based",
        "genome_assembly": result.assembly,
        "parameters": msgspec.to_builtins(result.parameters),
        "result_class": str(terms.result_class),
        "sample_size": result.people,
        "simulated_floors": context.floors.simulated,
        "variants_in_panel": result.sites,
    } | dict(result.summary)
