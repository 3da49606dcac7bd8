"""Parameters of ``polygenic-score``: the score stands in the study's terms, or they name its object by hash.

Everyone can read either. A row is as :mod:`nebula.analysis.score_rows` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from nebula.analysis.parameter_types import Column, Share, Stratified, VariantName, refuse_repeated
from nebula.analysis.score_object import MOST_OBJECT_ROWS, ScoreObject
from nebula.analysis.score_rows import ScoreRow, parse_row
from nebula.protocol.ids import Hash32  # noqa: TC001 - msgspec reads it
from nebula.protocol.record import Location  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from nebula.analysis.scoring_file import ScoreVariant

MOST_ROWS = 8_000
"""So many fit into a study's terms."""


class ScoreWeights(Stratified, frozen=True, kw_only=True):
    """A score, and how its variants are found on the panel. Its rows stand here, or in an object."""

    score: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]  # its name, such as PGS000001
    build: Literal["GRCh37", "GRCh38"]
    rows: Annotated[tuple[ScoreRow, ...], msgspec.Meta(max_length=MOST_ROWS)] = ()
    # Unset is not written: terms with rows of their own have the digest that they had before there were objects.
    object_location: Location | UnsetType = UNSET
    object_digest: Hash32 | UnsetType = UNSET
    object_rows: Annotated[int, msgspec.Meta(ge=1, le=MOST_OBJECT_ROWS)] | UnsetType = UNSET
    keep_ambiguous: bool = False  # A/T and C/G as they are written: the score is on the forward strand
    minimum_matched: Share = 0.75  # of the score's rows, on the panel
    minimum_copies: Annotated[int, msgspec.Meta(ge=10)] = 10  # of both alleles of each variant scored

    def __post_init__(self) -> None:
        super().__post_init__()
        said = [field is not UNSET for field in (self.object_location, self.object_digest, self.object_rows)]
        if any(said) != all(said) or all(said) == bool(self.rows):
            raise ValueError("a score has rows, or object_location, object_digest and object_rows")
        named = self.score_object
        if named is not None and not named.location.endswith("#" + named.digest.removeprefix("0x")):
            raise ValueError("the object's name, behind the # of its location, is its digest")

    @property
    def score_object(self) -> ScoreObject | None:
        """The object that has the rows; None where they stand in the terms."""
        if self.object_location is UNSET or self.object_digest is UNSET or self.object_rows is UNSET:
            return None
        return ScoreObject(self.object_location, self.object_digest, self.object_rows)

    @property
    def variants(self) -> tuple[ScoreVariant, ...]:
        """The rows that stand in the terms, parsed."""
        return tuple(map(parse_row, self.rows))


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
