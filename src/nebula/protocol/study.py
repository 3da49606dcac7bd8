"""A study: what a buyer asks for, of whom, with which code, at what price.

The *document* is what the buyer writes; its digest stands on the ledger when the study is funded. The
*terms* are what a consent decision needs to know: the document together with facts that the deciding
party checked itself (who the buyer is by the ledger, what a disease is a kind of).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from nebula.protocol.duo import Pledge, Purpose
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32, PublicKey
from nebula.protocol.money import MAX_ESCROW_WEI, Wei, format_tokens, wei_from_wire
from nebula.protocol.signing import keccak256
from nebula.protocol.wire import Document, parser, to_canonical

Mondo = Annotated[str, msgspec.Meta(pattern=r"\AMONDO:[0-9]{7}\Z")]
Country = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{2}\Z")]
Column = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]

DISCOVERY = "discovery"
"""The analysis that stands until its deadline and counts, instead of computing one result."""


class PartKind(StrEnum):
    """What one part of a record holds."""

    GENOTYPES = "genotypes"  # the analysis vector: two bits a site, on a panel
    VARIANTS = "variants"  # the standard record: everything that the file said, as Parquet
    PHENOTYPES = "phenotypes"
    SURVEY = "survey"


class ResultClass(StrEnum):
    """How much of a result may leave, from least to most telling."""

    NOISED = "noised"  # counts and frequencies under zero-concentrated differential privacy
    HITS = "hits"  # associations beyond 5e-8, lambda and QQ quantiles
    FULL = "full"  # complete summary statistics


class PurposeTerms(Document, frozen=True, kw_only=True):
    """What the study is for, in terms that machines decide on."""

    purposes: Annotated[tuple[Purpose, ...], msgspec.Meta(min_length=1, max_length=5)]
    diseases: Annotated[tuple[Mondo, ...], msgspec.Meta(max_length=50)] = ()
    pledges: Annotated[tuple[Pledge, ...], msgspec.Meta(max_length=4)] = ()
    commercial: bool = False
    ai_training: bool = False


class Condition(Document, frozen=True, kw_only=True):
    """A condition on a phenotype, evaluated inside the enclave: who belongs to the cohort."""

    column: Column
    minimum: float | None = None
    maximum: float | None = None
    equals: Annotated[str, msgspec.Meta(max_length=120)] | None = None


class StudyDocument(Document, frozen=True, kw_only=True):
    """What a buyer publishes. Amounts are base units as decimal strings; the deadline is a Unix time.

    A document that could never be run or funded does not exist: ``study.keepers`` stand there once each, at least
    two and at most all of them are needed (``study.threshold``; one keeper alone would hold the key), the most records
    are not fewer than the least (``study.records``), the ledger can lock the escrow (``study.escrow``), and a discovery
    has noised counts, and says what they cost (``study.discovery``).
    """

    schema: Literal[1] = 1
    chain_id: Annotated[int, msgspec.Meta(ge=1)]
    buyer: Address
    operator: Address
    result_key: PublicKey
    title: Annotated[str, msgspec.Meta(min_length=3, max_length=160)]
    summary: Annotated[str, msgspec.Meta(min_length=20, max_length=4000)]
    purpose: PurposeTerms
    analysis: Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z-]{1,40}@[0-9]{1,4}\Z")]
    parameters: dict[str, str | int | float | bool | list[str] | None]
    parts: Annotated[tuple[PartKind, ...], msgspec.Meta(min_length=1, max_length=4)]
    panel: Hash32
    conditions: Annotated[tuple[Condition, ...], msgspec.Meta(max_length=20)] = ()
    result_class: ResultClass = ResultClass.HITS
    privacy_micro_rho: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
    price_per_record_wei: Wei
    fee_wei: Wei
    min_records: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
    max_records: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
    deadline: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    keepers: Annotated[tuple[Address, ...], msgspec.Meta(min_length=2, max_length=32)]
    keeper_threshold: Annotated[int, msgspec.Meta(ge=2, le=32)]
    measurement: Hash32
    trust_root: Hash32

    def __post_init__(self) -> None:
        if len(set(self.keepers)) != len(self.keepers):
            raise RejectedInputError("study.keepers", "the study names a keeper twice")
        if not 2 <= self.keeper_threshold <= len(self.keepers):  # noqa: PLR2004  # one alone would hold the key
            raise RejectedInputError(
                "study.threshold",
                f"the study needs {self.keeper_threshold} of {len(self.keepers)} keepers; at least 2 are, at most all",
            )
        if self.min_records > self.max_records:
            raise RejectedInputError("study.records", "the study needs more records than it pays for")
        if self.escrow_wei > MAX_ESCROW_WEI:
            raise RejectedInputError(
                "study.escrow",
                f"the study would lock {format_tokens(self.escrow_wei)} tokens, more than the ledger can",
                hint=f"at most {format_tokens(MAX_ESCROW_WEI)} tokens: price x max_records + fee",
            )
        if self.is_discovery and not (self.result_class is ResultClass.NOISED and self.privacy_micro_rho):
            raise RejectedInputError(
                "study.discovery", "a discovery's counts are noised, and take from each record's privacy budget"
            )

    @property
    def is_discovery(self) -> bool:
        """Whether this study answers how many people fit, for as long as it stands."""
        return self.analysis.partition("@")[0] == DISCOVERY

    @property
    def escrow_wei(self) -> int:
        """What the buyer locks: the price for every record that may take part, and the fee."""
        return wei_from_wire(self.price_per_record_wei) * self.max_records + wei_from_wire(self.fee_wei)

    @property
    def deadline_at(self) -> datetime:
        """The deadline as a time."""
        return datetime.fromtimestamp(self.deadline, UTC)


parse_study = parser(StudyDocument)


def terms_digest(document: StudyDocument) -> bytes:
    """Return the 32-byte digest of a study's document, as it stands on the ledger."""
    return keccak256(b"nebula/study/1\x00" + to_canonical(document))


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """What the ledger says about a buyer, read by whoever decides."""

    address: Address
    country: Country
    non_profit: bool
    accredited: bool


@dataclass(frozen=True, slots=True)
class StudyTerms:
    """All that a consent decision looks at. ``disease_closure``: the diseases and all they are kinds of."""

    document: StudyDocument
    buyer: BuyerFacts
    disease_closure: frozenset[Mondo]
