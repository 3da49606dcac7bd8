"""Parameters of each analysis: typed, bounded, and hashed canonically."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from nebula.analysis.parameter_types import (
    Column,
    Frequency,
    Region,
    Relatives,
    Share,
    Stratified,
    TraitModel,
    VariantName,
)
from nebula.analysis.parameter_words import hint_for
from nebula.analysis.projection_parameters import Projection
from nebula.analysis.region_parameters import RareVariants
from nebula.analysis.score_parameters import PolygenicScore, ScorePhewas, VariantPhewas
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.wire import Document, to_canonical

if TYPE_CHECKING:
    from collections.abc import Mapping


class Association(TraitModel, frozen=True, kw_only=True):
    """What all associations of a trait with every common variant ask for."""

    minimum_maf: Frequency = 0.01  # variants rarer than this are not tested
    relatives: Relatives = Relatives.KEEP


class LinearGwas(Association, frozen=True, kw_only=True):
    """``gwas-linear``: a quantitative trait on every common variant."""


class LogisticGwas(Association, frozen=True, kw_only=True):
    """``gwas-logistic``: cases and controls on every common variant; the trait has two values, the larger is a case."""


class ConditionalGwas(Association, frozen=True, kw_only=True):
    """``gwas-conditional``: what is left of associations beside given variants, and beside the strongest found so far.

    The trait is measured, or has two values and is then one of cases and controls.
    """

    condition: Annotated[tuple[VariantName, ...], msgspec.Meta(max_length=50)] = ()
    steps: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0  # so many independent signals are looked for, at most
    signal_p: Annotated[float, msgspec.Meta(gt=0, le=5e-8)] = 5e-8
    regions: Annotated[tuple[Region, ...], msgspec.Meta(max_length=1000)] = ()  # variants tested; all if none is named

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.condition and not self.steps:
            raise ValueError("condition names variants, or steps is above zero")
        if len(set(self.condition)) != len(self.condition):
            raise ValueError("a variant is named twice in condition")


class AlleleFrequency(Document, frozen=True, kw_only=True):
    """``allele-frequency``: allele and genotype counts of every variant, or of those in some regions.

    Nothing in the data decides which variants are shown, so that noise can protect the counts.
    """

    regions: Annotated[tuple[Region, ...], msgspec.Meta(max_length=1000)] = ()
    groups: Column | None = None  # counts of each class of this column instead of the whole cohort's
    mid_p: bool = False  # of Hardy-Weinberg proportions
    sex: Column | None = None  # then X counts as men have it, and proportions are tested there too, in women
    women: float = 0.0  # their value of it; categories are numbered by name: female 0, male 1

    def __post_init__(self) -> None:
        if self.groups is not None and self.sex is not None:
            raise ValueError("groups and sex do not go together")


class Missingness(Document, frozen=True, kw_only=True):
    """``missingness``: the share of genotypes that each variant lacks, and people by the share that they lack."""

    regions: Annotated[tuple[Region, ...], msgspec.Meta(max_length=1000)] = ()


class KinshipCounts(Document, frozen=True, kw_only=True):
    """``kinship``: how many pairs are related in which degree, and how many families there are. No pair is named."""

    minimum_maf: Frequency = 0.05
    maximum_missing: Share = 0.1


class PopulationStructure(Stratified, frozen=True, kw_only=True):
    """``pca-structure``: how much the leading components explain, and how many people lie where on pairs of them."""

    pcs: Annotated[int, msgspec.Meta(ge=2, le=20)] = 10


class Discovery(Document, frozen=True, kw_only=True):
    """``discovery``: how many people fit a question, again and again until the study's deadline.

    Attributes:
        question_micro_rho: zCDP rho in millionths that each new answer spends.
        buyer_micro_rho: what one buyer may spend in all. The study's own rho is what all of them may. Each keeper
            charges n/t times as much, so where all keepers answer, t/n of it can be spent.
        refresh_seconds: after so long a session ends, and a new one begins with those who have joined since.
    """

    question_micro_rho: Annotated[int, msgspec.Meta(ge=100, le=1_000_000)] = 5_000
    buyer_micro_rho: Annotated[int, msgspec.Meta(ge=100, le=10_000_000)] = 100_000
    refresh_seconds: Annotated[int, msgspec.Meta(ge=10, le=86_400)] = 3_600

    def __post_init__(self) -> None:
        if self.question_micro_rho > self.buyer_micro_rho:
            raise ValueError("question_micro_rho is at most buyer_micro_rho")


Parameters = (
    LinearGwas
    | LogisticGwas
    | ConditionalGwas
    | AlleleFrequency
    | KinshipCounts
    | PopulationStructure
    | PolygenicScore
    | RareVariants
    | VariantPhewas
    | ScorePhewas
    | Missingness
    | Projection
    | Discovery
)

PARAMETERS: Mapping[str, type[Parameters]] = {
    "gwas-linear@1": LinearGwas,
    "gwas-logistic@1": LogisticGwas,
    "gwas-conditional@1": ConditionalGwas,
    "allele-frequency@1": AlleleFrequency,
    "kinship@1": KinshipCounts,
    "pca-structure@1": PopulationStructure,
    "polygenic-score@1": PolygenicScore,
    "rare-variants@1": RareVariants,
    "phewas-variant@1": VariantPhewas,
    "phewas-score@1": ScorePhewas,
    "missingness@1": Missingness,
    "pca-projection@1": Projection,
    "discovery@1": Discovery,
}


def analysed_columns(parameters: Parameters) -> tuple[str, ...]:
    """Name the phenotypes that an analysis looks at: the trait or traits, then the covariates; or the groups."""
    if isinstance(parameters, TraitModel):
        return (parameters.trait, *parameters.covariates)
    if isinstance(parameters, VariantPhewas | ScorePhewas):
        return (*parameters.traits, *parameters.covariates)
    if isinstance(parameters, PolygenicScore) and parameters.trait is not None:
        return (parameters.trait, *parameters.covariates)
    if isinstance(parameters, AlleleFrequency):
        return tuple(column for column in (parameters.groups, parameters.sex) if column is not None)
    return ()


def parse_parameters(analysis: str, raw: Mapping[str, Any]) -> Parameters:
    """Turn a study's parameters into the analysis' own type.

    Raises:
        RejectedInputError: no such analysis, or a parameter is unknown, of the wrong type or out of range.
    """
    kind = PARAMETERS.get(analysis)
    if kind is None:
        offered = ", ".join(PARAMETERS)
        raise RejectedInputError(
            "analysis.unknown", f"there is no analysis {analysis!r}", hint=f"offered are: {offered}"
        )
    try:
        return msgspec.convert(dict(raw), kind)
    except msgspec.ValidationError as error:
        hint = hint_for(str(error), analysis, PARAMETERS)
        raise RejectedInputError("analysis.parameters", f"parameters of {analysis}: {error}", hint=hint) from error


def parameters_digest(analysis: str, parameters: Parameters) -> bytes:
    """Return the 32-byte digest of an analysis with its parameters, defaults written out.

    SHA-256 over a label, the name and the canonical document, each length-prefixed.
    """
    if type(parameters) is not PARAMETERS.get(analysis):
        raise RejectedInputError("analysis.parameters", f"these are not the parameters of {analysis}")
    digest = hashlib.sha256(b"nebula/analysis/1\x00")
    for field in (analysis.encode(), to_canonical(parameters)):
        digest.update(len(field).to_bytes(8, "big") + field)
    return digest.digest()
