"""What parameters of several analyses are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from nebula.protocol.wire import Document

Column = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Region = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A(chr)?([1-9]|1[0-9]|2[0-2]|X|Y|MT?):[1-9][0-9]{0,9}-[1-9][0-9]{0,9}\Z",
        description="CHROMOSOME:FIRST-LAST",
        examples=["1:10000-20000"],
    ),
]
VariantName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A([1-9]|1[0-9]|2[0-2]|X|Y|MT):[1-9][0-9]{0,8}:[ACGT]{1,200}:[ACGT]{1,200}\Z",
        description="CHROMOSOME:POSITION:REF:ALT",
        examples=["2:135851076:G:A"],
    ),
]
"""Chromosome, position, reference and alternate allele, as a panel has them."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Frequency = Annotated[float, msgspec.Meta(ge=0, le=0.5)]


class Relatives(StrEnum):
    """What becomes of people who are relatives of others in the cohort."""

    KEEP = "keep"
    DROP = "drop"  # as many as must go so that no two people are related


class Stratified(Document, frozen=True, kw_only=True):
    """Principal components among the covariates, and the variants that they are made of."""

    pcs: Annotated[int, msgspec.Meta(ge=0, le=20)] = 10
    maximum_missing: Share = 0.1  # variants with a larger share of missing genotypes are left out
    pc_minimum_maf: Annotated[float, msgspec.Meta(ge=0.001, le=0.5)] = 0.05  # components: common ones only
    prune_window: Annotated[int, msgspec.Meta(ge=2, le=2000)] = 50
    prune_step: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 5
    prune_r_squared: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.prune_step > self.prune_window:
            raise ValueError("prune_step is at most prune_window")


def refuse_repeated(*columns: str | None) -> None:
    """Refuse a column that is named twice.

    Raises:
        ValueError: it is.
    """
    named = [column for column in columns if column is not None]
    if len(set(named)) != len(named):
        raise ValueError("a column is named twice among trait and covariates")


class TraitModel(Stratified, frozen=True, kw_only=True):
    """A trait, and what it is adjusted for."""

    trait: Column
    covariates: Annotated[tuple[Column, ...], msgspec.Meta(max_length=20)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_repeated(self.trait, *self.covariates)
