"""JSON-RPC 2.0: requests in, answers out, errors with stable codes. No sockets here.

A run of ``eth_sendRawTransaction`` calls next to each other in a batch becomes one block.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from nebula.ledger.node import params
from nebula.ledger.node.methods import CallRevertedError, LimitError, Methods
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import to_hex

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_BATCH = 2_000
MAX_DEPTH = 64
BATCH_SECONDS = 30.0

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000
AWAY = -32002
LIMIT_EXCEEDED = -32005
REVERTED = 3

SEND = "eth_sendRawTransaction"
COMPUTING = frozenset(("eth_call", "eth_estimateGas"))
_log = structlog.get_logger(__name__)


class Request(msgspec.Struct, frozen=True):
    """One call. Unknown members are ignored, as JSON-RPC clients send some."""

    method: str
    id: int | str | None = None
    params: list[Any] = []
    jsonrpc: str = "2.0"


def parse(body: bytes) -> list[Request | dict[str, Any]] | Request | dict[str, Any]:
    """Parse a request or a batch; what cannot be parsed becomes its own error answer."""
    # SECURITY: an attacker's bytes come in here.
    if len(body) > MAX_BODY_BYTES:
        return failure(None, LIMIT_EXCEEDED, f"request too large: at most {MAX_BODY_BYTES:,} bytes")
    try:
        raw = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return failure(None, PARSE_ERROR, f"not JSON, or nested more than {MAX_DEPTH} deep")
    if not isinstance(raw, list):
        return _request(raw)
    if not raw:
        return failure(None, INVALID_REQUEST, "an empty batch")
    if len(raw) > MAX_BATCH:
        return failure(None, LIMIT_EXCEEDED, f"batch too large: at most {MAX_BATCH:,} calls")
    return [_request(item) for item in raw]


def _decode(body: bytes) -> Any:
    if _is_deep(body):
        raise RecursionError
    return msgspec.json.decode(body)


def _is_deep(body: bytes) -> bool:
    """Whether arrays and objects stand in each other too deep to be read.

    SECURITY: no parser's own limit can be relied on here. The EVM raises Python's recursion limit so far that brackets
    alone overflow the C stack and kill the process.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    import numpy as np  # noqa: PLC0415 - few bodies have so many brackets, and every node would load it

    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    letters = np.frombuffer(unescaped, dtype=np.uint8)
    outside = ~np.logical_xor.accumulate(letters == ord('"'))
    opening = ((letters == ord("[")) | (letters == ord("{"))) & outside
    closing = ((letters == ord("]")) | (letters == ord("}"))) & outside
    depth = np.cumsum(opening.astype(np.int8) - closing.astype(np.int8), dtype=np.int32)
    return bool(depth.max(initial=0) > MAX_DEPTH)


def _request(raw: Any) -> Request | dict[str, Any]:
    try:
        return msgspec.convert(raw, Request)
    except msgspec.ValidationError as error:
        identity = raw.get("id") if isinstance(raw, dict) else None
        return failure(identity if isinstance(identity, int | str) else None, INVALID_REQUEST, str(error))


def failure(identity: int | str | None, code: int, message: str, data: Any = None) -> dict[str, Any]:
    """Return an error answer."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": identity, "error": error}


def success(identity: int | str | None, result: Any) -> dict[str, Any]:
    """Return a result answer."""
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def writes(parsed: list[Request | dict[str, Any]] | Request | dict[str, Any]) -> bool:
    """Whether anything in a request or batch may add a block."""
    items = parsed if isinstance(parsed, list) else [parsed]
    return any(isinstance(item, Request) and item.method == SEND for item in items)


def computes(parsed: list[Request | dict[str, Any]] | Request | dict[str, Any]) -> bool:
    """Whether anything in a request or batch runs contracts' code."""
    items = parsed if isinstance(parsed, list) else [parsed]
    return any(isinstance(item, Request) and item.method in COMPUTING for item in items)


def busy(parsed: list[Request | dict[str, Any]] | Request | dict[str, Any]) -> Any:
    """Tell whoever asks to come back later; each of a batch."""
    if isinstance(parsed, list):
        return [busy(item) for item in parsed]
    if not isinstance(parsed, Request):
        return parsed
    return failure(parsed.id, AWAY, "too many calls wait already; try again later")


class Dispatcher:
    """Answers requests. Use each from one thread; only one may have a ``submit``.

    Of a batch, what is not begun after :data:`BATCH_SECONDS` is refused; transactions never are.
    """

    def __init__(
        self,
        methods: Methods,
        submit: Callable[[list[bytes]], list[bytes | NebulaError]] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._methods = methods
        self._submit = submit
        self._monotonic = monotonic
        self._end = 0.0

    def answer(self, parsed: list[Request | dict[str, Any]] | Request | dict[str, Any]) -> Any:
        """Answer a parsed request, or each of a batch in order."""
        self._end = self._monotonic() + BATCH_SECONDS
        if not isinstance(parsed, list):
            return self._answers([parsed])[0]
        return self._answers(parsed)

    def _answers(self, items: list[Request | dict[str, Any]]) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        for sending, run in itertools.groupby(
            items, key=lambda item: isinstance(item, Request) and item.method == SEND
        ):
            if sending:
                answers += self._send([item for item in run if isinstance(item, Request)])
            else:
                answers += [self._read_in_time(item) if isinstance(item, Request) else item for item in run]
        return answers

    def _read_in_time(self, request: Request) -> dict[str, Any]:
        if self._monotonic() > self._end:
            return failure(request.id, AWAY, f"the batch takes longer than {BATCH_SECONDS:g} seconds; ask for less")
        return self._read(request)

    def _read(self, request: Request) -> dict[str, Any]:
        if request.method not in self._methods.table:
            return failure(request.id, METHOD_NOT_FOUND, f"there is no method {request.method[:60]}")
        try:
            return success(request.id, self._methods.answer(request.method, request.params))
        except NebulaError as error:
            return _refusal(request.id, error)
        except TypeError as error:
            if "positional argument" in str(error):
                return failure(request.id, INVALID_PARAMS, f"wrong number of parameters for {request.method}")
            return _internal(request, error)
        except Exception as error:  # noqa: BLE001  # the edge of the process: one call must not end it
            return _internal(request, error)

    def _send(self, requests: list[Request]) -> list[dict[str, Any]]:
        assert self._submit is not None  # noqa: S101  # only the writer is given requests that write
        outcomes: list[bytes | NebulaError] = [_raw(request) for request in requests]
        sendable = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, bytes)]
        try:
            submitted = self._submit([raw for raw in outcomes if isinstance(raw, bytes)]) if sendable else []
        except Exception as error:  # noqa: BLE001  # the edge of the process: one block must not end it
            return [_internal(request, error) for request in requests]
        for place, outcome in zip(sendable, submitted, strict=True):
            outcomes[place] = outcome
        return [
            success(request.id, to_hex(outcome)) if isinstance(outcome, bytes) else _refusal(request.id, outcome)
            for request, outcome in zip(requests, outcomes, strict=True)
        ]


def _raw(request: Request) -> bytes | NebulaError:
    if len(request.params) != 1:
        return params.reject("eth_sendRawTransaction takes one parameter")
    try:
        return params.parse_bytes(request.params[0])
    except RejectedInputError as error:
        return error


def _refusal(identity: int | str | None, error: NebulaError) -> dict[str, Any]:
    if isinstance(error, CallRevertedError):
        code = REVERTED if error.reverted else REFUSED
        return failure(identity, code, error.message, to_hex(error.output))
    code = REFUSED
    if isinstance(error, LimitError):
        code = LIMIT_EXCEEDED
    elif isinstance(error, UnavailableError):
        code = AWAY
    elif error.code == "ledger.params":
        code = INVALID_PARAMS
    return failure(identity, code, error.message, {"code": error.code})


def _internal(request: Request, error: Exception) -> dict[str, Any]:
    _log.error("ledger.internal-error", method=request.method[:60], kind=type(error).__name__, exc_info=error)
    return failure(request.id, INTERNAL_ERROR, "internal error")
