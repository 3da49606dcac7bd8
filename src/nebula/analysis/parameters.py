"""Parameters of each analysis: typed, bounded, and hashed canonically."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.wire import Document, to_canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

Column = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Region = Annotated[str, msgspec.Meta(pattern=r"\A(chr)?([1-9][0-9]?|X|Y|MT?):[1-9][0-9]{0,9}-[1-9][0-9]{0,9}\Z")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Frequency = Annotated[float, msgspec.Meta(ge=0, le=0.5)]


class LinearGwas(Document, frozen=True, kw_only=True):
    """``gwas-linear``: a quantitative trait on every common variant."""

    trait: Column
    covariates: Annotated[tuple[Column, ...], msgspec.Meta(max_length=20)] = ()
    pcs: Annotated[int, msgspec.Meta(ge=0, le=20)] = 10
    minimum_maf: Frequency = 0.01  # variants rarer than this are not tested
    maximum_missing: Share = 0.1  # nor those with a larger share of missing genotypes
    pc_minimum_maf: Annotated[float, msgspec.Meta(ge=0.001, le=0.5)] = 0.05  # components: common ones only
    prune_window: Annotated[int, msgspec.Meta(ge=2, le=2000)] = 50
    prune_step: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 5
    prune_r_squared: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0

    def __post_init__(self) -> None:
        if self.prune_step > self.prune_window:
            raise ValueError("prune_step is at most prune_window")
        if len({self.trait, *self.covariates}) != 1 + len(self.covariates):
            raise ValueError("a column is named twice among trait and covariates")


class AlleleFrequency(Document, frozen=True, kw_only=True):
    """``allele-frequency``: allele and genotype counts of every variant, or of those in some regions.

    Nothing in the data decides which variants are shown, so that noise can protect the counts.
    """

    regions: Annotated[tuple[Region, ...], msgspec.Meta(max_length=1000)] = ()


Parameters = LinearGwas | AlleleFrequency

PARAMETERS: Mapping[str, type[Parameters]] = {
    "gwas-linear@1": LinearGwas,
    "allele-frequency@1": AlleleFrequency,
}


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
