"""Parameters of each analysis: typed, bounded, and hashed canonically."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.wire import Document, to_canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

Column = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Region = Annotated[str, msgspec.Meta(pattern=r"\A(chr)?([1-9][0-9]?|X|Y|MT?):[1-9][0-9]{0,9}-[1-9][0-9]{0,9}\Z")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Frequency = Annotated[float, msgspec.Meta(ge=0, le=0.5)]


class Relatives(StrEnum):
    """What becomes of people who are relatives of others in the cohort."""

    KEEP = "keep"
    DROP = "drop"  # as many as must go so that no two people are related


class Association(Document, frozen=True, kw_only=True):
    """What all associations of a trait with every common variant ask for."""

    trait: Column
    covariates: Annotated[tuple[Column, ...], msgspec.Meta(max_length=20)] = ()
    pcs: Annotated[int, msgspec.Meta(ge=0, le=20)] = 10
    minimum_maf: Frequency = 0.01  # variants rarer than this are not tested
    maximum_missing: Share = 0.1  # nor those with a larger share of missing genotypes
    pc_minimum_maf: Annotated[float, msgspec.Meta(ge=0.001, le=0.5)] = 0.05  # components: common ones only
    prune_window: Annotated[int, msgspec.Meta(ge=2, le=2000)] = 50
    prune_step: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 5
    prune_r_squared: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    seed: Seed = 0
    relatives: Relatives = Relatives.KEEP

    def __post_init__(self) -> None:
        if self.prune_step > self.prune_window:
            raise ValueError("prune_step is at most prune_window")
        if len({self.trait, *self.covariates}) != 1 + len(self.covariates):
            raise ValueError("a column is named twice among trait and covariates")


class LinearGwas(Association, frozen=True, kw_only=True):
    """``gwas-linear``: a quantitative trait on every common variant."""


class LogisticGwas(Association, frozen=True, kw_only=True):
    """``gwas-logistic``: cases and controls on every common variant; the trait has two values, the larger is a case."""


class AlleleFrequency(Document, frozen=True, kw_only=True):
    """``allele-frequency``: allele and genotype counts of every variant, or of those in some regions.

    Nothing in the data decides which variants are shown, so that noise can protect the counts.
    """

    regions: Annotated[tuple[Region, ...], msgspec.Meta(max_length=1000)] = ()
    groups: Column | None = None  # counts of each class of this column instead of the whole cohort's


class KinshipCounts(Document, frozen=True, kw_only=True):
    """``kinship``: how many pairs are related in which degree, and how many families there are. No pair is named."""

    minimum_maf: Frequency = 0.05
    maximum_missing: Share = 0.1


class PopulationStructure(Document, frozen=True, kw_only=True):
    """``pca-structure``: how much the leading components explain, and how many people lie where on pairs of them."""

    pcs: Annotated[int, msgspec.Meta(ge=2, le=20)] = 10
    pc_minimum_maf: Annotated[float, msgspec.Meta(ge=0.001, le=0.5)] = 0.05
    maximum_missing: Share = 0.1
    prune_window: Annotated[int, msgspec.Meta(ge=2, le=2000)] = 50
    prune_step: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 5
    prune_r_squared: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.prune_step > self.prune_window:
            raise ValueError("prune_step is at most prune_window")


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


Parameters = LinearGwas | LogisticGwas | AlleleFrequency | KinshipCounts | PopulationStructure | Discovery

PARAMETERS: Mapping[str, type[Parameters]] = {
    "gwas-linear@1": LinearGwas,
    "gwas-logistic@1": LogisticGwas,
    "allele-frequency@1": AlleleFrequency,
    "kinship@1": KinshipCounts,
    "pca-structure@1": PopulationStructure,
    "discovery@1": Discovery,
}


def analysed_columns(parameters: Parameters) -> tuple[str, ...]:
    """Name the phenotypes that an analysis looks at: the trait, then the covariates; or the groups."""
    if isinstance(parameters, Association):
        return (parameters.trait, *parameters.covariates)
    if isinstance(parameters, AlleleFrequency) and parameters.groups is not None:
        return (parameters.groups,)
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
        raise RejectedInputError("analysis.parameters", f"parameters of {analysis}: {error}") from error


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
