"""The hub's Beacon v2 surface: what it is, and the way to ask it.

What a Beacon answers in the open, this one answers sealed: a body is a signed message that carries a sealed Beacon v2
request, and the answer carries a sealed Beacon v2 response. So a client needs our few lines around the standard's; the
service information says so, and does not claim an endpoint that is not there.
"""

from typing import Any

import msgspec
from litestar import MediaType, Response, get

from nebula.hub.questions import Questions
from nebula.protocol.beacon import API_VERSION
from nebula.protocol.ids import Address
from nebula.protocol.wire import to_canonical

ASK_PATHS = ("/api/beacon/individuals", "/api/beacon/g_variants")
"""Both count individuals: those who carry a variant and fit the filters."""


def beacon_routes(questions: Questions, *, hub: Address, simulated: bool) -> list[Any]:
    """Return the route handlers that anyone may ask."""
    info = msgspec.json.encode(_info(hub, simulated=simulated))

    @get(["/api/beacon", "/api/beacon/info"], sync_to_thread=False, summary="GA4GH Beacon v2: what this Beacon is")
    def beacon_info() -> Response[bytes]:
        return Response(info, media_type=MediaType.JSON)

    @get("/v1/discoveries", sync_to_thread=True, summary="Discoveries that answer now, and their sessions' evidence")
    def discoveries() -> Response[bytes]:
        return Response(to_canonical(questions.open()), media_type=MediaType.JSON)

    return [beacon_info, discoveries]


def _info(hub: Address, *, simulated: bool) -> dict[str, Any]:
    beacon_id = f"nebula.beacon.{hub}"
    return {
        "meta": {"beaconId": beacon_id, "apiVersion": API_VERSION, "returnedSchemas": []},
        "response": {
            "id": beacon_id,
            "name": "Nebula discovery",
            "apiVersion": API_VERSION,
            "environment": "test" if simulated else "prod",
            "organization": {"id": hub, "name": "The operator of this Nebula hub"},
            "description": (
                "Noised counts of individuals, answered by attested enclaves to verified buyers. Requests and "
                "responses are sealed between buyer and enclave; this hub carries them and cannot read them."
            ),
            "info": {
                "granularities": ["boolean", "count"],
                "security": "CONTROLLED",
                "body": "a signed message of kind hub.ask, see /v1/schema",
                "discoveries": "/v1/discoveries",
                "simulated": simulated,
            },
        },
    }
