"""GA4GH Beacon v2, as far as a discovery speaks it: how many people carry a variant, or fit some filters, or both.

Field names on the wire are the standard's (``requestParameters``, ``referenceName``). Positions are: ``start`` counts
from 0. What the standard has and a discovery could not honour is refused, not ignored: ranges, ontology filters,
pages, records. One field is our own: a filter's ``unit``, because a number without one says nothing.
"""

import math
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from nebula.protocol.ids import Hash32
from nebula.protocol.study import Column
from nebula.protocol.wire import Document

API_VERSION = "v2.0.0"
ApiVersion = Annotated[str, msgspec.Meta(pattern=r"\Av?2\.[0-9]{1,3}(\.[0-9]{1,3})?\Z")]
Bases = Annotated[str, msgspec.Meta(pattern=r"\A[ACGT]{1,1000}\Z")]


class Granularity(StrEnum):
    """How much is asked for; records are never given."""

    BOOLEAN = "boolean"
    COUNT = "count"


class VariantParameters(Document, frozen=True, kw_only=True, rename="camel"):
    """One variant, by place and alleles. ``start``: one position, 0-based."""

    assembly_id: Literal["GRCh38", "GRCh37", "NCBI36"]
    reference_name: Annotated[str, msgspec.Meta(pattern=r"\A(chr)?([1-9]|1[0-9]|2[0-2]|X|Y|MT?)\Z")]
    start: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0, lt=2**28)], ...], msgspec.Meta(min_length=1, max_length=1)]
    reference_bases: Bases
    alternate_bases: Bases


class Operator(StrEnum):
    """How a phenotype is compared with a filter's value."""

    IS = "="
    AT_LEAST = ">="
    AT_MOST = "<="


class Filter(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A phenotype's name, and what it must be. Text is compared with categories, numbers with numbers of the unit."""

    id: Column
    operator: Operator = Operator.IS
    value: float | Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    unit: Annotated[str, msgspec.Meta(max_length=50)] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.value, str) and (self.operator is not Operator.IS or self.unit is not None):
            raise ValueError("a category is compared by = alone, and has no unit")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError("a number is finite")


class Query(Document, frozen=True, kw_only=True, rename="camel"):
    """Who is counted: carriers of the variant, if one is named, who fit every filter."""

    request_parameters: VariantParameters | None = None
    filters: Annotated[tuple[Filter, ...], msgspec.Meta(max_length=10)] = ()
    requested_granularity: Granularity = Granularity.COUNT


class RequestMeta(Document, frozen=True, kw_only=True, rename="camel"):
    """Which version of the standard is spoken."""

    api_version: ApiVersion = API_VERSION


class BeaconRequest(Document, frozen=True, kw_only=True):
    """A Beacon v2 request body."""

    meta: RequestMeta = RequestMeta()
    query: Query = Query()


class RequestSummary(Document, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The request, as it was understood. No schemas and no pages: the standard wants both named."""

    api_version: ApiVersion
    requested_schemas: tuple[()]
    pagination: dict[str, int]
    requested_granularity: Granularity
    request_parameters: VariantParameters | None = None
    filters: tuple[Filter, ...] = ()


class ResponseMeta(Document, frozen=True, kw_only=True, rename="camel"):
    """Who answers to what. ``test_mode``: on simulated hardware."""

    beacon_id: str
    api_version: ApiVersion = API_VERSION
    returned_schemas: tuple[()] = ()
    returned_granularity: Granularity
    received_request_summary: RequestSummary
    test_mode: bool


class ResponseSummary(Document, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The answer. ``num_total_results``: noised, and there only where ``exists`` is true and a count was asked for."""

    exists: bool
    num_total_results: int | None = None


class AnswerInfo(Document, frozen=True, kw_only=True, rename="camel"):
    """What the standard has no fields for.

    Attributes:
        counted: what the numbers are of.
        noise_standard_deviation: of the number, in individuals.
        least_told: a noised number below it is not told, and ``exists`` is false.
        simulated: the hardware protects nothing.
    """

    counted: Literal["individuals"] = "individuals"
    noise_standard_deviation: float
    least_told: int
    simulated: bool


class BeaconResponse(Document, frozen=True, kw_only=True, rename="camel"):
    """A Beacon v2 count or boolean response."""

    meta: ResponseMeta
    response_summary: ResponseSummary
    info: AnswerInfo


def respond(query: Query, summary: ResponseSummary, info: AnswerInfo, *, study: Hash32) -> BeaconResponse:
    """Return the response to a query."""
    asked = RequestSummary(
        api_version=API_VERSION,
        requested_schemas=(),
        pagination={},
        requested_granularity=query.requested_granularity,
        request_parameters=query.request_parameters,
        filters=query.filters,
    )
    meta = ResponseMeta(
        beacon_id=f"nebula.discovery.{study}",
        returned_granularity=query.requested_granularity,
        received_request_summary=asked,
        test_mode=info.simulated,
    )
    return BeaconResponse(meta=meta, response_summary=summary, info=info)
