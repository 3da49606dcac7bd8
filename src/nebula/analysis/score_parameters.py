"""Parameters of ``polygenic-score``: the score itself stands in the study's terms, where everyone can read it.

A row is ``chromosome:position:effect:other:weights``; the other allele may be empty; one weight is that of each copy,
three with commas are those of none, one and two copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from nebula.analysis.parameter_types import Column, Share, Stratified, VariantName, refuse_repeated
from nebula.analysis.scoring_file import ScoreVariant

if TYPE_CHECKING:
    from nebula.analysis.scoring_file import ScoringFile

MOST_ROWS = 8_000
"""So many fit into a study's terms."""

_NUMBER = r"-?[0-9]{1,12}(\.[0-9]{1,17})?(e[-+]?[0-9]{1,2})?"
ScoreRow = Annotated[
    str,
    msgspec.Meta(
        max_length=400,
        pattern=rf"\A([1-9]|1[0-9]|2[0-2]|X|Y|MT):[1-9][0-9]{{0,8}}:[ACGT]+:[ACGT]*:{_NUMBER}(,{_NUMBER},{_NUMBER})?\Z",
    ),
]


class ScoreWeights(Stratified, frozen=True, kw_only=True):
    """A score, and how its variants are found on the panel."""

    score: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]  # its name, such as PGS000001
    build: Literal["GRCh37", "GRCh38"]
    rows: Annotated[tuple[ScoreRow, ...], msgspec.Meta(min_length=1, max_length=MOST_ROWS)]
    keep_ambiguous: bool = False  # A/T and C/G as they are written: the score is on the forward strand
    minimum_matched: Share = 0.75  # of the score's rows, on the panel
    minimum_copies: Annotated[int, msgspec.Meta(ge=10)] = 10  # of both alleles of each variant scored

    @property
    def variants(self) -> tuple[ScoreVariant, ...]:
        """The rows, parsed."""
        return tuple(_parse_row(row) for row in self.rows)


class PolygenicScore(ScoreWeights, frozen=True, kw_only=True):
    """``polygenic-score``: a weighted sum of alleles: its spread over people, and its association with a trait."""

    trait: Column | None = None
    covariates: Annotated[tuple[Column, ...], msgspec.Meta(max_length=20)] = ()
    groups: Annotated[int, msgspec.Meta(ge=2, le=20)] = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_repeated(self.trait, *self.covariates)
        if self.trait is None and self.covariates:
            raise ValueError("covariates go with a trait")


Traits = Annotated[tuple[Column, ...], msgspec.Meta(min_length=1, max_length=200)]


class VariantPhewas(Stratified, frozen=True, kw_only=True):
    """``phewas-variant``: one variant's association with many traits. Who lacks any trait or covariate leaves."""

    variant: VariantName
    traits: Traits
    covariates: Annotated[tuple[Column, ...], msgspec.Meta(max_length=20)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_repeated(*self.traits, *self.covariates)


class ScorePhewas(ScoreWeights, frozen=True, kw_only=True):
    """``phewas-score``: a score's association with many traits. Who lacks any trait or covariate leaves."""

    traits: Traits
    covariates: Annotated[tuple[Column, ...], msgspec.Meta(max_length=20)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_repeated(*self.traits, *self.covariates)


def score_rows(score: ScoringFile) -> tuple[str, ...]:
    """Write a score's variants as rows of the parameters, weights with nine significant digits."""
    return tuple(_write_row(variant) for variant in score.variants)


def _write_row(variant: ScoreVariant) -> str:
    none, one, two = variant.weights
    numbers = (one,) if none == 0 and two == 2 * one else variant.weights
    weights = ",".join(f"{number:.9g}" for number in numbers)
    return f"{variant.chromosome}:{variant.position}:{variant.effect}:{variant.other or ''}:{weights}"


def _parse_row(row: str) -> ScoreVariant:
    chromosome, position, effect, other, written = row.split(":")
    numbers = [float(number) for number in written.split(",")]
    none, one, two = numbers if len(numbers) > 1 else (0.0, numbers[0], 2 * numbers[0])
    return ScoreVariant(chromosome, int(position), effect, other or None, (none, one, two))
