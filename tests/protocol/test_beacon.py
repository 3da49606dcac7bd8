"""The Beacon's words, as the standard has them and no others."""

from typing import Any

import msgspec
import pytest

from nebula.protocol.beacon import BeaconRequest, Filter, Operator, VariantParameters
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.wire import parser

_parse = parser(BeaconRequest)

VARIANT = {
    "assemblyId": "GRCh38",
    "referenceName": "22",
    "start": [16050074],
    "referenceBases": "A",
    "alternateBases": "G",
}


def test_a_request_as_the_standard_has_it_parses() -> None:
    query = {
        "requestParameters": VARIANT,
        "filters": [{"id": "height", "operator": ">=", "value": 170}],
        "requestedGranularity": "boolean",
    }
    found = _parse(msgspec.json.encode({"meta": {"apiVersion": "v2.0.0"}, "query": query})).query
    assert found.request_parameters == msgspec.convert(VARIANT, VariantParameters)
    assert found.filters == (Filter(id="height", operator=Operator.AT_LEAST, value=170.0),)


@pytest.mark.parametrize(
    "query",
    [
        {"requestParameters": VARIANT | {"end": [16050075]}},
        {"requestParameters": VARIANT | {"start": [1, 5]}},
        {"requestParameters": VARIANT | {"start": 16050074}},
        {"requestParameters": VARIANT | {"start": [-1]}},
        {"requestParameters": VARIANT | {"start": [2**28]}},
        {"requestParameters": VARIANT | {"referenceName": "chr23"}},
        {"requestParameters": VARIANT | {"referenceBases": "N"}},
        {"requestParameters": VARIANT | {"alternateBases": ""}},
        {"requestParameters": VARIANT | {"alternateBases": "A" * 1001}},
        {"requestParameters": VARIANT | {"assemblyId": "hg38"}},
        {"requestParameters": {"assemblyId": "GRCh38", "referenceName": "22"}},
        {"filters": [{"id": "MONDO:0005148", "includeDescendantTerms": True}]},
        {"filters": [{"id": "height", "operator": ">", "value": 1}]},
        {"filters": [{"id": "height", "operator": "!", "value": 1}]},
        {"filters": [{"id": "height"}]},
        {"filters": [{"id": "", "value": 1}]},
        {"filters": [{"id": "sex", "operator": ">=", "value": "female"}]},
        {"filters": [{"id": "sex", "value": "female", "unit": "cm"}]},
        {"filters": [{"id": "a", "value": 1}] * 11},
        {"requestedGranularity": "record"},
        {"pagination": {"skip": 0, "limit": 10}},
        {"testMode": True},
    ],
)
def test_what_could_not_be_honoured_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(RejectedInputError):
        _parse(msgspec.json.encode({"query": query}))


def test_another_version_of_the_standard_is_refused() -> None:
    with pytest.raises(RejectedInputError):
        _parse(b'{"meta":{"apiVersion":"v1.1.1"},"query":{}}')
