"""Calls have threads and time of their own: a flood of them keeps nobody from a block or a receipt."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from nebula.ledger.client.wallet import Fees, Wallet
from nebula.ledger.genesis import Genesis
from nebula.ledger.node import rpc, server
from nebula.ledger.node.chain import Reader
from nebula.ledger.node.machine import Call, Machine
from nebula.ledger.node.methods import Methods
from nebula.ledger.node.server import LedgerApp, LedgerSettings
from nebula.ledger.node.timed import CALL_SECONDS
from nebula.ledger.node.transactions import MAX_TRANSACTION_GAS
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import to_hex
from nebula.protocol.secrets import SecretBytes

PAYER = Wallet(SecretBytes(b"\x05" * 32))
GENESIS = Genesis(balances={PAYER.address: str(10**24)})
ENDLESS = bytes.fromhex("5b600056")  # JUMPDEST, PUSH1 0, JUMP
CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"data": to_hex(ENDLESS)}, "latest"]}
NUMBER = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}


def transfer() -> dict[str, Any]:
    signed = PAYER.sign(
        "0x" + "ab" * 20, b"", chain_id=GENESIS.chain_id, nonce=0, gas=21_000, fees=Fees(10**10, 0), value_wei=1
    )
    return {"jsonrpc": "2.0", "id": 1, "method": rpc.SEND, "params": [to_hex(signed.raw)]}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[LedgerApp]:
    clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)  # noqa: E731
    made = LedgerApp(LedgerSettings(tmp_path / "ledger.db", genesis=GENESIS, clock=clock))
    yield made
    made.close()


async def post(app: LedgerApp, body: Any) -> Any:
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(event: dict[str, Any]) -> None:
        said.append(event)

    await app({"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}, receive, send)
    return json.loads(said[1]["body"])


def ticking(step: float) -> Any:
    ticks = count()
    return lambda: next(ticks) * step


def test_a_call_that_computes_too_long_ends_and_the_next_one_is_as_if_it_had_not_been(app: LedgerApp) -> None:
    reader = Reader(app._settings.database)
    machine = Machine(
        GENESIS.chain_id, reader.store.node, reader.store.ancestors, monotonic=ticking(CALL_SECONDS / 100)
    )
    head = reader.store.header(0)
    assert head is not None
    endless = Call(bytes(20), b"", ENDLESS, 0, MAX_TRANSACTION_GAS)
    answer = Call(bytes(20), b"", bytes.fromhex("602a60005260206000f3"), 0, 200_000)

    before = machine.call(head, answer)
    for _ in range(2):
        with pytest.raises(UnavailableError) as ended:
            machine.call(head, endless)
        assert ended.value.code == "ledger.time"
        assert machine.call(head, answer) == before
    assert before.failure is None


def test_a_call_inside_a_call_is_timed_too(app: LedgerApp) -> None:
    reader = Reader(app._settings.database)
    machine = Machine(
        GENESIS.chain_id, reader.store.node, reader.store.ancestors, monotonic=ticking(CALL_SECONDS / 100)
    )
    head = reader.store.header(0)
    assert head is not None
    # Keep the endless code in memory, and create a contract with it: CREATE(0, 28, 4).
    outer = bytes.fromhex("63") + ENDLESS + bytes.fromhex("600052" + "6004" + "601c" + "6000" + "f0")
    with pytest.raises(UnavailableError):
        machine.call(head, Call(bytes(20), b"", outer, 0, MAX_TRANSACTION_GAS))


def test_what_a_batch_has_no_time_for_is_refused_call_by_call(app: LedgerApp) -> None:
    reader = Reader(app._settings.database)
    methods = Methods(reader, lambda: 0)
    dispatcher = rpc.Dispatcher(methods, monotonic=ticking(rpc.BATCH_SECONDS / 3))

    answers = dispatcher.answer(rpc.parse(json.dumps([NUMBER] * 6).encode()))

    assert ["result" in answer for answer in answers] == [True] * 3 + [False] * 3
    assert answers[-1]["error"]["code"] == rpc.AWAY


def test_a_flood_of_calls_keeps_neither_reads_nor_blocks_waiting(
    app: LedgerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def never(_parsed: Any) -> Any:
        over.wait()
        return rpc.success(1, "0x")

    monkeypatch.setattr(app, "_compute", never)
    monkeypatch.setattr(server, "MAX_WAITING_CALLS", 5)

    async def flood() -> None:
        waiting = [asyncio.create_task(post(app, CALL)) for _ in range(5)]
        await asyncio.sleep(0)
        assert (await post(app, CALL))["error"]["code"] == rpc.AWAY
        assert [answer["error"]["code"] for answer in await post(app, [CALL, CALL])] == [rpc.AWAY] * 2
        assert "result" in await post(app, transfer())
        assert (await post(app, NUMBER))["result"] == "0x1"
        assert not any(task.done() for task in waiting)
        over.set()
        assert [answer["result"] for answer in await asyncio.gather(*waiting)] == ["0x"] * 5

    asyncio.run(flood())


def test_calls_and_reads_are_answered_by_their_own_threads(app: LedgerApp) -> None:
    short = CALL | {"params": [{"data": "0x602a60005260206000f3"}, "latest"]}
    answers = asyncio.run(post(app, [short, NUMBER]))
    assert [answer["result"] for answer in answers] == ["0x" + f"{42:064x}", "0x0"]


def test_calls_do_not_ride_along_with_a_transaction(app: LedgerApp) -> None:
    answer = asyncio.run(post(app, [transfer(), CALL]))
    assert answer["error"]["code"] == rpc.INVALID_REQUEST
    assert asyncio.run(post(app, NUMBER))["result"] == "0x0"
