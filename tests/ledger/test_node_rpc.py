"""The node's surface: whatever is sent, the answer is JSON-RPC with a stable code."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.ledgers import Ledger
from nebula.ledger.client.wallet import Wallet
from nebula.ledger.genesis import Genesis
from nebula.ledger.node import rpc
from nebula.ledger.node.chain import Chain, Reader
from nebula.ledger.node.methods import Methods
from nebula.ledger.node.params import parse_call
from nebula.ledger.node.transactions import MAX_TRANSACTION_GAS
from nebula.protocol.secrets import SecretBytes

PAYER = Wallet(SecretBytes(b"\x05" * 32))


@pytest.fixture(scope="module")
def dispatcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rpc.Dispatcher]:
    path = tmp_path_factory.mktemp("rpc") / "ledger.db"
    chain = Chain(path, Genesis(balances={PAYER.address: str(10**24)}), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    yield rpc.Dispatcher(Methods(Reader(path), chain.now), chain.submit)
    chain.close()


def ask(dispatcher: rpc.Dispatcher, body: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dispatcher.answer(rpc.parse(raw))


def call(method: str, *params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 5000, -32700),
        (b"[]", -32600),
        (b"17", -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"id":1,"method":7,"params":[]}', -32600),
        (b'{"id":1,"method":"eth_call","params":{}}', -32600),
        (json.dumps([call("eth_chainId")] * 2001).encode(), -32005),
        (b" " * (16 * 1024 * 1024 + 1), -32005),
        (call("eth_sign", "0x00"), -32601),
        (call("eth_blockNumber", 1), -32602),
        (call("eth_getBalance"), -32602),
        (call("eth_getBalance", "0x12"), -32602),
        (call("eth_getBalance", "0x" + "ab" * 20, "newest"), -32602),
        (call("eth_getBalance", "0x" + "ab" * 20, "0x" + "f" * 64), -32000),
        (call("eth_getBlockByNumber", "0x01", False), -32602),
        (call("eth_getBlockByNumber", "latest", 1), -32602),
        (call("eth_getTransactionByHash", "0x00"), -32602),
        (call("eth_getLogs", {"topics": ["0x" + "00" * 32] * 5}), -32602),
        (call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x0", "secret": 1}), -32602),
        (call("eth_call", {"to": "0x" + "00" * 20, "gas": "0x1"}), -32000),
        (call("eth_call", []), -32602),
        (call("eth_sendRawTransaction", "0x"), -32000),
        (call("eth_sendRawTransaction", "zz"), -32602),
        (call("eth_sendRawTransaction"), -32602),
    ],
)
def test_what_cannot_be_answered_gets_a_stable_code(dispatcher: rpc.Dispatcher, body: Any, code: int) -> None:
    assert ask(dispatcher, body)["error"]["code"] == code


def test_a_batch_is_answered_in_order_and_one_failure_stays_alone(dispatcher: rpc.Dispatcher) -> None:
    answers = ask(dispatcher, [call("eth_chainId"), 5, call("eth_nope"), call("net_version")])

    assert [answer.get("result", answer.get("error", {}).get("code")) for answer in answers] == [
        "0x4e31",
        -32600,
        -32601,
        "20017",
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=70) | st.just("0x" + "00" * 20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
READING = (
    "eth_call eth_estimateGas eth_feeHistory eth_getBalance eth_getBlockByHash eth_getBlockByNumber eth_getCode"
    " eth_getLogs eth_getStorageAt eth_getTransactionByHash eth_getTransactionReceipt eth_sendRawTransaction"
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(method=st.sampled_from(READING.split()), params=st.lists(anything, max_size=4))
def test_no_parameters_can_break_a_method(dispatcher: rpc.Dispatcher, method: str, params: list[Any]) -> None:
    answer = ask(dispatcher, {"id": 1, "method": method, "params": params})

    assert "result" in answer or answer["error"]["code"] != rpc.INTERNAL_ERROR


@given(st.binary(max_size=300))
def test_no_bytes_can_break_the_parser(body: bytes) -> None:
    parsed = rpc.parse(body)

    assert isinstance(parsed, dict | list | rpc.Request)


@pytest.mark.parametrize("ledger", ["embedded"], indirect=True, scope="session")
def test_the_http_surface_refuses_what_is_not_json_rpc_over_post(ledger: Ledger) -> None:
    url = ledger.client.url
    assert httpx2.get(url).status_code == 405
    assert httpx2.post(url, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    too_large = httpx2.post(url, content=b" " * (16 * 1024 * 1024 + 1), headers={"content-type": "application/json"})
    assert too_large.status_code == 413
    assert too_large.json()["error"]["code"] == -32005


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'["]]]]",' * 100_000,
        b'["\\\\","\\"]]",' * 100_000,
        b"[ \n" * 65 + b"]" * 65,
    ],
)
def test_brackets_cannot_overflow_the_nodes_stack(dispatcher: rpc.Dispatcher, raw: bytes) -> None:
    """py-evm raises the recursion limit so far that a parser runs out of stack before it runs into the limit."""
    assert ask(dispatcher, raw)["error"]["code"] == rpc.PARSE_ERROR


json_text = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\x,', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[]{}"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=40,
)


def depth_of(value: Any) -> int:
    """The slow obvious twin."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return (1 + max(map(depth_of, inner), default=0)) if isinstance(value, dict | list) else 0


@settings(max_examples=300)
@given(json_text, st.integers(0, 8))
def test_depth_is_measured_outside_of_strings(value: Any, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rpc, "MAX_DEPTH", limit)
        assert rpc._is_deep(json.dumps(value).encode()) is (depth_of(value) > limit)


def test_no_call_computes_longer_than_a_transaction_could(dispatcher: rpc.Dispatcher) -> None:
    without_end = {"data": "0x5b600056"}  # JUMPDEST, PUSH1 0, JUMP: as init code it runs until its gas is used up

    for gas in ({}, {"gas": "0xffffffffffffffff"}):
        parsed = parse_call(without_end | gas)
        assert parsed.gas <= MAX_TRANSACTION_GAS
    answer = ask(dispatcher, call("eth_call", without_end | {"gas": "0x20000"}, "latest"))
    assert answer["error"]["code"] == -32000


@pytest.mark.parametrize("percentiles", [[1] * 101, [101], [-1], [2, 1], ["1"], [True], 5, "50", {"50": 1}])
def test_a_history_of_fees_is_not_made_larger_than_it_is_useful(dispatcher: rpc.Dispatcher, percentiles: Any) -> None:
    answer = ask(dispatcher, call("eth_feeHistory", "0x400", "latest", percentiles))
    assert answer["error"]["code"] == -32602


@pytest.mark.parametrize("count", [True, 0, 1025, "0x0", 1.0, None, [1]])
def test_a_history_of_fees_is_of_so_many_blocks(dispatcher: rpc.Dispatcher, count: Any) -> None:
    assert ask(dispatcher, call("eth_feeHistory", count, "latest"))["error"]["code"] == -32602
