"""The node as a process: one ASGI application over one writing thread, one reading, and a few that compute.

A block of three hundred transactions takes a second, and a call may take seconds; nobody who only asks for a receipt
should wait for either, and no flood of calls should keep blocks from being made. Each thread has its own view of the
file. A call has its time (see ``timed``), and there is a limit to how many wait.
"""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvicorn

from nebula.ledger.genesis import Genesis
from nebula.ledger.node import rpc
from nebula.ledger.node.chain import Chain, Reader
from nebula.ledger.node.methods import Methods
from nebula.protocol.errors import NebulaError

_MAX_CONNECTIONS = 256
_COMPUTERS = 2
MAX_WAITING_CALLS = 128
"""So many calls or batches of them are computed or wait; the next one is told to come back."""

_log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Submit = Callable[[list[bytes]], list[bytes | NebulaError]]


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LedgerSettings:
    """How a node is run.

    Attributes:
        database: the SQLite file; its folder must exist.
        genesis: what the chain begins with; must equal the file's, if there is one.
        clock: gives blocks their time.
    """

    database: Path
    host: str = "127.0.0.1"
    port: int = 8545
    genesis: Genesis = field(default_factory=Genesis)
    clock: Callable[[], datetime] = _system_clock


class LedgerApp:
    """The ASGI application: POST JSON-RPC to any path; GET answers with a line for people."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._chain = Chain(settings.database, settings.genesis, settings.clock)
        self._writer = ThreadPoolExecutor(1, "ledger-writer")
        self._reader = ThreadPoolExecutor(1, "ledger-reader")
        self._computers = ThreadPoolExecutor(_COMPUTERS, "ledger-call", self._begin_computing)
        self._writing = self._dispatcher(self._chain.submit)
        self._reading = self._dispatcher()
        self._computing = threading.local()
        self._waiting_calls = 0

    def _dispatcher(self, submit: Submit | None = None) -> rpc.Dispatcher:
        return rpc.Dispatcher(Methods(Reader(self._settings.database), self._chain.now), submit)

    def _begin_computing(self) -> None:
        self._computing.dispatcher = self._dispatcher()

    def _compute(self, parsed: Any) -> Any:
        return self._computing.dispatcher.answer(parsed)

    def close(self) -> None:
        """Finish what is running, then close the file."""
        self._computers.shutdown(cancel_futures=True)
        self._reader.shutdown()
        self._writer.shutdown()
        self._chain.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event, as ASGI asks."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["method"] == "POST":
            await self._post(scope, receive, send)
        elif scope["type"] == "http":
            await _respond(send, 405, rpc.failure(None, rpc.INVALID_REQUEST, "POST JSON-RPC 2.0 here"))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self.close)
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if not headers.get(b"content-type", b"").startswith(b"application/json"):
            # SECURITY: a page in a browser cannot send this type across origins without asking first.
            await _respond(send, 415, rpc.failure(None, rpc.INVALID_REQUEST, "the content type is application/json"))
            return
        body = await _body(receive)
        if body is None:
            await _respond(send, 413, rpc.parse(bytes(rpc.MAX_BODY_BYTES + 1)))
            return
        parsed = rpc.parse(body)
        await _respond(send, 200, await self._answer(parsed))

    async def _answer(self, parsed: Any) -> Any:
        loop = asyncio.get_running_loop()
        if rpc.writes(parsed) and rpc.computes(parsed):
            return rpc.failure(None, rpc.INVALID_REQUEST, "calls and transactions do not go into one batch")
        if rpc.writes(parsed):
            return await loop.run_in_executor(self._writer, self._writing.answer, parsed)
        if not rpc.computes(parsed):
            return await loop.run_in_executor(self._reader, self._reading.answer, parsed)
        if self._waiting_calls >= MAX_WAITING_CALLS:
            return rpc.busy(parsed)
        self._waiting_calls += 1
        try:
            return await loop.run_in_executor(self._computers, self._compute, parsed)
        finally:
            self._waiting_calls -= 1


async def _body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return b""
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > rpc.MAX_BODY_BYTES:
            return None
        if not event.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, status: int, answer: Any) -> None:
    body = msgspec.json.encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve(settings: LedgerSettings) -> None:
    """Run a node until it is told to stop (SIGTERM, SIGINT).

    Raises:
        UnavailableError: another node has the file open.
        RejectedInputError: the file began with another genesis.
        IntegrityError: the file is no ledger.
    """
    app = LedgerApp(settings)
    _log.info("ledger.serving", host=settings.host, port=settings.port, chain_id=settings.genesis.chain_id)
    _end_in_peace()
    uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            lifespan="on",
            limit_concurrency=_MAX_CONNECTIONS,
        )
    ).run()


def _end_in_peace() -> None:
    """Let ``serve`` return when it is told to stop: uvicorn raises the signal again once it has shut down."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)
