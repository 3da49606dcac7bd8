"""Doors between the parties, and a wire across one of them that kills a process when a given message passes.

Every party is reached through a door: a small HTTP server that passes on what it gets, as the network would. It can
tell which message passes, because envelopes are signed and not secret, and it changes none. So a process can be
killed exactly between two steps of the protocol, without a hook in any of them.
"""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import msgspec

from nebula.ledger.client.calls import methods

Cut = Literal["before", "after"]
TIMEOUT_SECONDS = 300
_OF_THE_HOP = ("connection", "content-length", "date", "server", "transfer-encoding")


@dataclass(frozen=True)
class Wire:
    """Where a process is killed: before a message reaches its door's party, or after the party has answered it.

    ``message``: the kind of a signed message, with ``:stage`` for progress; the function of a contract for the
    ledger; ``*`` for whatever comes first.
    """

    door: str
    message: str
    cut: Cut


@dataclass
class Tripwires:
    """Doors by party, and at most one wire."""

    doors: dict[str, "Door"] = field(default_factory=dict)
    _armed: tuple[Wire, Callable[[], None]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    sprung: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def open_door(self, party: str, port: int) -> str:
        """Open a door before a party's port and return its URL."""
        self.doors[party] = Door(party, port, self.pass_by)
        return self.doors[party].url

    def arm(self, wire: Wire, spring: Callable[[], None]) -> None:
        """Have something done when the message passes next, before it goes on its way."""
        self.sprung.clear()
        self.failure = None
        self._armed = (wire, spring)

    def shut(self, *parties: str) -> None:
        """Cut parties off from everybody, and let the others in again."""
        for party, door in self.doors.items():
            door.is_open = party not in parties

    def pass_by(self, door: str, messages: set[str], cut: Cut) -> None:
        """Note that messages pass a door."""
        with self._lock:
            if self._armed is None:
                return
            wire, spring = self._armed
            if (wire.door, wire.cut) != (door, cut) or not messages & {wire.message}:
                return
            self._armed = None
            try:
                spring()
            except Exception as error:  # noqa: BLE001 - kept: a door takes what goes wrong in it for a lost connection
                self.failure = error
            self.sprung.set()

    def close(self) -> None:
        """Close all doors."""
        for door in self.doors.values():
            door.close()


class Door:
    """Passes requests on to one party."""

    def __init__(self, party: str, port: int, pass_by: Callable[[str, set[str], Cut], None]) -> None:
        self.is_open = True
        self.party = party
        self.pass_by = pass_by
        self._port = port
        self._server = _Server(("127.0.0.1", 0), _Passage)
        self._server.door = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forward(self, method: str, path: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OF_THE_HOP]
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    door: Door


class _Passage(BaseHTTPRequestHandler):
    """One request through a door. A connection is closed without an answer where a network would lose it."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _pass_on(self, body: bytes) -> None:
        door = self.server.door
        messages = messages_in(self.path, body) | {"*"}
        if door.is_open:
            door.pass_by(door.party, messages, "before")
        if not door.is_open:
            self.close_connection = True
            return
        try:
            status, headers, answer = door.forward(self.command, self.path, body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        door.pass_by(door.party, messages, "after")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # who asked is gone

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def messages_in(path: str, body: bytes) -> set[str]:
    """Return what passes: a kind of message, or the contracts' functions that transactions call."""
    kind = path.removeprefix("/v1/messages/")
    if kind == "hub.progress":
        stage = msgspec.json.decode(body)["body"]["stage"]
        return {f"{kind}:{stage}"}
    if kind != path:
        return {kind}
    if b"eth_sendRawTransaction" not in body:
        return set()
    return {name for name, selector in _selectors().items() if selector in body}


def _selectors() -> dict[str, bytes]:
    writes = {"records": ("put_many", "withdraw"), "sessions": ("register_session",)}
    writes["studies"] = ("fund_with_permit", "settle", "claim_subtree", "refund")
    return {
        name: methods(contract)[name].selector.hex().encode() for contract, names in writes.items() for name in names
    }
