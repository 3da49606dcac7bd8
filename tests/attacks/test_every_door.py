"""A stranger at every party's door: what is not exactly right is turned away with a stable code, and no door breaks.

All doors are those of real processes: the hub's, each keeper's, the ledger's, the collateral service's.
"""

import json
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest

from attacks.network import FinishedNetwork
from nebula.protocol.envelope import open_answer, seal_envelope
from nebula.protocol.ids import Address
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    DECISIONS,
    LEAVES,
    RELEASE,
    RESULT,
    DecisionsRequest,
    ErrorAnswer,
    LeavesRequest,
)
from nebula.protocol.wire import MAX_MESSAGE_BYTES, parser

pytestmark = pytest.mark.xdist_group("attacks")

HASH = "0x" + "11" * 32
PARTIES = ("hub", "keeper-1", "keeper-2", "keeper-3")


@dataclass
class Door:
    """One party that answers signed messages, and an honest message for it."""

    url: str
    address: Address
    kind: str
    other_kind: str
    body: Any

    def sealed(self, body: Any = None, kind: str | None = None, **changes: Any) -> bytes:
        return seal_envelope(
            kind or self.kind,
            self.body if body is None else body,
            **{
                "key": SigningKey.generate().secret,
                "recipient": self.address,
                "at": datetime.now(UTC),
                "nonce": secrets.token_bytes(16),
                **changes,
            },
        )

    def post(self, raw: bytes, kind: str | None = None, content_type: str = "application/json") -> tuple[int, str]:
        answer = httpx2.post(
            f"{self.url}/v1/messages/{kind or self.kind}",
            content=raw,
            headers={"content-type": content_type},
            trust_env=False,
            timeout=60,
        )
        if answer.status_code == 200:
            return 200, ""
        return answer.status_code, refusal(answer.content).code


def refusal(content: bytes) -> ErrorAnswer:
    """A refusal has exactly one form, and tells no secrets of the house."""
    found = parser(ErrorAnswer)(content)
    assert not any(word in content for word in (b"Traceback", b"site-packages", b".py", b"sqlite", b"SELECT"))
    assert found.code
    assert found.message
    return found


@pytest.fixture(params=PARTIES)
def door(network: FinishedNetwork, request: pytest.FixtureRequest) -> Door:
    if request.param == "hub":
        run = network.runs[0].signed.receipt.run
        return Door(network.local.hub_url, network.local.hub, LEAVES.name, RESULT.name, LeavesRequest(run=run))
    keeper = network.local.keepers[int(request.param[-1]) - 1]
    return Door(keeper.url, keeper.address, DECISIONS.name, RELEASE.name, DecisionsRequest())


@pytest.fixture(scope="module", autouse=True)
def _no_party_failed(network: FinishedNetwork) -> Iterator[None]:
    """Whatever was tried here: nothing was a bug, and nobody had to be started again."""
    yield
    for log in sorted((network.folder / "logs").glob("*.log")):
        assert b"Traceback" not in log.read_bytes(), log.name
    started = msgspec.json.decode((network.folder / "processes.json").read_bytes())
    assert {process["name"]: process["starts"] for process in started} == dict.fromkeys(
        (process["name"] for process in started), 1
    )


def test_an_honest_message_is_answered_under_the_partys_own_signature(door: Door) -> None:
    raw = door.sealed()
    answer = httpx2.post(
        f"{door.url}/v1/messages/{door.kind}",
        content=raw,
        headers={"content-type": "application/json"},
        trust_env=False,
    )
    assert open_answer(answer.content, request=raw, expected_sender=door.address).kind == door.kind


def test_a_message_is_heard_once(door: Door) -> None:
    raw = door.sealed()
    assert [door.post(raw), door.post(raw)] == [(200, ""), (403, "message.replayed")]


@pytest.mark.parametrize("seconds", [-121, 121, -86_400, 86_400])
def test_a_message_from_another_time_is_refused(door: Door, seconds: int) -> None:
    # One second off: the door's clock has gone on.
    at = datetime.now(UTC) + timedelta(seconds=seconds + (2 if seconds > 0 else -2))
    assert door.post(door.sealed(at=at)) == (403, "message.stale")


def test_a_message_for_another_party_is_refused(door: Door) -> None:
    assert door.post(door.sealed(recipient="0x" + "0a" * 20)) == (403, "message.recipient")


def test_a_message_is_answered_where_its_kind_is(door: Door) -> None:
    assert door.post(door.sealed(), door.other_kind) == (400, "message.kind")
    assert door.post(door.sealed(kind="keeper.secrets"), "keeper.secrets") == (400, "message.kind")


def alter(raw: bytes, **fields: Any) -> bytes:
    envelope = msgspec.json.decode(raw)
    for name, value in fields.items():
        if value is None:
            del envelope[name]
        else:
            envelope[name] = value(envelope[name]) if callable(value) else value
    return msgspec.json.encode(envelope)


@pytest.mark.parametrize(
    "fields",
    [
        {"sender": SigningKey.generate().address},
        {"sent": lambda sent: sent + 1},
        {"reply_to": HASH},
        {"nonce": "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"body": {"run": "0x" + "12" * 32}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_was_altered_on_the_way_is_nobodys_word(door: Door, fields: dict[str, Any]) -> None:
    assert door.post(alter(door.sealed(), **fields)) == (409, "message.signature")


@pytest.mark.parametrize("signature", ["A" * 86 + "==", "/" * 86 + "8=", "AAAA", "", 7])
def test_what_is_no_signature_is_refused(door: Door, signature: Any) -> None:
    status, code = door.post(alter(door.sealed(), signature=signature))
    assert status in (400, 409)
    assert code in ("wire.malformed", "message.signature") or code.startswith("signature.")


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 0},
        {"version": 2},
        {"version": "1"},
        {"version": None},
        {"surprise": 1},
        {"sender": "0xABC"},
        {"sender": None},
        {"sent": -1},
        {"sent": 2**60},
        {"sent": 1.5},
        {"sent": "now"},
        {"nonce": "AAAA"},
        {"kind": "../../etc/passwd"},
        {"body": None},
        {"signature": None},
    ],
    ids=str,
)
def test_what_is_not_exactly_an_envelope_is_refused(door: Door, fields: dict[str, Any]) -> None:
    raw = door.sealed()
    if fields == {"version": None}:  # it has a default: then it is version 1, and signed as such
        assert door.post(alter(raw, **fields)) == (200, "")
    else:
        assert door.post(alter(raw, **fields)) == (400, "wire.malformed")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"0",
        b"\xff\xfe\x00",
        b"\x00" * 1000,
        b"{" * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"body":' * 50_000 + b"1" + b"}" * 50_000,
        b"PK\x03\x04",
        b"\x1f\x8b\x08\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"version":1' + b" " * 100_000,
        b'{"version":' + b"9" * 100_000 + b"}",
    ],
    ids=lambda raw: raw[:8].hex(),
)
def test_garbage_is_refused(door: Door, raw: bytes) -> None:
    assert door.post(raw) == (400, "wire.malformed")


@pytest.mark.parametrize(
    "body",
    [
        {"surprise": True},
        {"run": HASH, "surprise": True},
        {"after": -1.5},
        {"after": "0"},
        [],
        "text",
        7,
        None,
        {"run": {"run": {"run": {}}}},
    ],
    ids=str,
)
def test_a_signed_body_is_parsed_as_strictly(door: Door, body: Any) -> None:
    envelope = door.sealed(body=msgspec.Raw(json.dumps(body).encode()))
    assert door.post(envelope) == (400, "wire.malformed")


def test_a_deeply_nested_body_under_a_right_signature_is_refused(door: Door) -> None:
    deep = msgspec.Raw(b'{"run":' * 100_000 + b"1" + b"}" * 100_000)
    assert door.post(door.sealed(body=deep)) == (400, "wire.malformed")


def test_more_than_is_read_is_refused(door: Door) -> None:
    assert door.post(b"x" * (MAX_MESSAGE_BYTES + 1)) == (413, "http.413")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_page_in_a_browser_cannot_post_a_message(door: Door, content_type: str) -> None:
    """A browser sends these types across origins without asking first."""
    assert door.post(door.sealed(), content_type=content_type) == (415, "http.415")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_messages_are_posted(door: Door, method: str) -> None:
    answer = httpx2.request(method, f"{door.url}/v1/messages/{door.kind}", trust_env=False)
    assert (answer.status_code, refusal(answer.content).code) == (405, "http.405")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2/identity",
        "/v1/messages",
        "/v1/../etc/passwd",
        "/v1/messages/a/b",
        "/.env",
        "/%2e%2e/",
        "/v1/identity/x",
    ],
)
def test_other_places_do_not_exist(door: Door, path: str) -> None:
    answer = httpx2.get(f"{door.url}{path}", trust_env=False)
    assert answer.status_code in (404, 405)
    assert refusal(answer.content).code == f"http.{answer.status_code}"


def test_who_sends_slowly_holds_up_nobody(door: Door) -> None:
    host, port = door.url.removeprefix("http://").split(":")
    slow = []
    for _ in range(40):
        connection = socket.create_connection((host, int(port)))
        connection.sendall(b"POST /v1/messages/x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{")
        slow.append(connection)
    try:
        assert door.post(door.sealed()) == (200, "")
    finally:
        for connection in slow:
            connection.close()


def test_headers_without_end_are_cut_off(door: Door) -> None:
    host, port = door.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            connection.sendall(b"GET /v1/identity HTTP/1.1\r\n" + b"x: " + b"y" * (1 << 20) + b"\r\n\r\n")
            answer = connection.recv(64)
        except ConnectionError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 2")


# The hub's public files


@pytest.mark.parametrize("run", ["0x", "0x" + "zz" * 32, "x' OR 1=1 --", "0x" + "11" * 33, "%00", HASH])
@pytest.mark.parametrize("page", ["", "/public", "/payouts"])
def test_a_run_that_is_none_is_named_as_such(network: FinishedNetwork, run: str, page: str) -> None:
    answer = httpx2.get(f"{network.local.hub_url}/v1/runs/{run}{page}", trust_env=False)
    assert answer.status_code in (400, 404)
    refusal(answer.content)


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 40])
def test_a_page_that_is_none_is_refused(network: FinishedNetwork, after: str) -> None:
    answer = httpx2.get(f"{network.local.hub_url}/v1/studies?after={after}", trust_env=False)
    assert answer.status_code == 400
    refusal(answer.content)


# The ledger


def ask_ledger(network: FinishedNetwork, raw: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    answer = httpx2.post(
        network.local.ledger_url, content=raw, headers={"content-type": content_type}, trust_env=False, timeout=60
    )
    assert b"Traceback" not in answer.content
    return answer.status_code, msgspec.json.decode(answer.content)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", -32700),
        (b"\xff", -32700),
        (b"{" * 200_000, -32700),
        (b"[" * 200_000, -32700),
        (b"null", -32600),
        (b"[]", -32600),
        (b'{"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"admin_addPeer","params":[]}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x1","latest"]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"x"},"latest"]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x"]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0xdeadbeef"]}', -32602),
    ],
    ids=lambda value: value[-40:].decode("latin-1")[:30] if isinstance(value, bytes) else str(value),
)
def test_the_ledger_refuses_what_it_does_not_understand(network: FinishedNetwork, raw: bytes, code: int) -> None:
    status, answer = ask_ledger(network, raw)
    assert status == 200
    assert answer["error"]["code"] in (code, -32000)


def test_the_ledger_reads_no_more_than_it_says(network: FinishedNetwork) -> None:
    assert ask_ledger(network, b" " * (16 * 1024 * 1024 + 1))[0] == 413
    call = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    status, answer = ask_ledger(network, b"[" + b",".join([call] * 2001) + b"]")
    assert (status, answer["error"]["code"]) == (200, -32005)
    assert ask_ledger(network, call, "text/plain")[0] == 415


# The collateral service


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sgx/certification/v4/tcb",
        "/sgx/certification/v4/tcb?fmspc=00",
        "/sgx/certification/v4/pckcrl?ca=../../x",
        "/sgx/certification/v9/qe/identity",
        "/root.pem",
    ],
)
def test_collateral_that_does_not_exist_is_not_served(network: FinishedNetwork, path: str) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{network.local.hardware_port}{path}", trust_env=False)
    assert answer.status_code in (400, 404)
    assert b"Traceback" not in answer.content
