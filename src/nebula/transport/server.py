"""Answer signed messages: one POST route per kind of message.

In the order of ``protocol/envelope.py``: size, form, kind, recipient, time, signature, then the replay
table, then the body's own type, and only then the party's handler.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from nebula.database.replay import ReplayGuard
from nebula.protocol.envelope import VerifiedMessage, open_envelope, seal_envelope
from nebula.protocol.errors import NebulaError, RejectedInputError
from nebula.protocol.messages import ErrorAnswer, Identity, Kind
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, parser
from nebula.transport.client import Clock

Handler = Callable[[Any, VerifiedMessage], Document]
"""Takes the parsed body and the verified message around it; returns the answer's body."""

JSON = MediaType.JSON
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Party:
    """Who answers here."""

    identity: Identity
    key: SecretBytes
    replay: ReplayGuard
    clock: Clock


def signed_app(
    party: Party,
    handlers: Mapping[Kind, Handler],
    *,
    routes: Sequence[Any] = (),
    paths: Mapping[str, Kind] | None = None,
) -> Litestar:
    """Return the ASGI application of a party.

    Args:
        party: who answers.
        handlers: what it answers to.
        routes: further Litestar route handlers: public files, pages.
        paths: further paths at which one kind is answered, where a standard has a place for it.
    """
    kinds = {kind.name: kind for kind in handlers}
    functions = {kind.name: handler for kind, handler in handlers.items()}
    parsers = {kind.name: parser(kind.request, max_bytes=MAX_MESSAGE_BYTES) for kind in handlers}
    known = frozenset(kinds)

    def answer(name: str, raw: bytes) -> bytes:
        message = open_envelope(raw, me=party.identity.address, at=party.clock(), kinds=known)
        if message.kind != name:
            raise RejectedInputError("message.kind", f"a {message.kind} message was sent to {name}")
        party.replay.admit(message)
        body = functions[name](parsers[name](message.body), message)
        return seal_envelope(
            name,
            body,
            key=party.key,
            recipient=message.sender,
            at=party.clock(),
            nonce=secrets.token_bytes(16),
            reply_to=message.digest,
        )

    @post("/v1/messages/{kind:str}", status_code=200, summary="Answer one signed message")
    async def messages(kind: str, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Take an envelope (see the reference of messages) and answer with one."""
        return await answer_request(kind, request)

    async def answer_request(kind: str, request: Request[Any, Any, Any]) -> Response[bytes]:
        if request.content_type[0] != MediaType.JSON:
            # SECURITY: a page in a browser cannot send this type across origins without asking first.
            raise HTTPException(status_code=415, detail="messages are of type application/json")
        raw = await request.body()
        return Response(await sync_to_thread(answer, kind, raw), media_type=JSON)

    def at_path(path: str, kind: Kind) -> Any:
        @post(path, status_code=200, summary=f"Answer one signed message of kind {kind.name}")
        async def message(request: Request[Any, Any, Any]) -> Response[bytes]:
            return await answer_request(kind.name, request)

        return message

    further = [at_path(path, kind) for path, kind in (paths or {}).items()]

    @get("/v1/identity", sync_to_thread=False, summary="This party's address and key")
    def identity() -> Response[bytes]:
        return Response(msgspec.json.encode(party.identity), media_type=JSON)

    @get("/v1/schema", sync_to_thread=False, summary="JSON Schema of every message answered here")
    def schema() -> Response[bytes]:
        return Response(msgspec.json.encode(_schemas(list(kinds.values()))), media_type=JSON)

    return Litestar(
        route_handlers=[messages, identity, schema, *further, *routes],
        request_max_body_size=MAX_MESSAGE_BYTES,
        exception_handlers={NebulaError: _refuse, HTTPException: _refuse_http, Exception: _fail},
        openapi_config=OpenAPIConfig(
            title=f"Nebula {party.identity.party}",
            version="1",
            path="/v1/openapi",
            render_plugins=[JsonRenderPlugin()],
        ),
        debug=False,
    )


def _refuse(_request: Request[Any, Any, Any], error: NebulaError) -> Response[bytes]:
    _log.info("refused", code=error.code)
    return Response(msgspec.json.encode(ErrorAnswer.of(error)), status_code=error.http_status, media_type=JSON)


def _refuse_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    answer = ErrorAnswer(family="rejected", code=f"http.{error.status_code}", message=error.detail)
    return Response(msgspec.json.encode(answer), status_code=error.status_code, media_type=JSON)


def _fail(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    # The edge of the process: the caller learns that it is our fault, the log has the traceback.
    _log.error("bug", error=type(error).__name__, exc_info=error)
    answer = ErrorAnswer(family="bug", code="bug", message="this party failed; its operator finds why in the log")
    return Response(msgspec.json.encode(answer), status_code=500, media_type=JSON)


def _schemas(kinds: list[Kind]) -> dict[str, Any]:
    types = [message for kind in kinds for message in (kind.request, kind.answer)]
    _, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return {
        "messages": {kind.name: {"request": kind.request.__name__, "answer": kind.answer.__name__} for kind in kinds},
        "$defs": components,
    }
