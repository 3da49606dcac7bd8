"""A node may answer anything: what comes out is a typed value or a clear error, never a stumble."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.ledger.client import LedgerClient
from nebula.ledger.client.answers import block_ref, from_hex, from_quantity, raw_logs, transaction_receipt
from nebula.protocol.errors import IntegrityError, NebulaError, UnavailableError

HASH, OTHER_HASH = "0x" + "ab" * 32, "0x" + "cd" * 32
CONTRACT = "0x" + "12" * 20
BLOCK = {"number": "0x7", "hash": HASH, "parentHash": OTHER_HASH, "timestamp": "0x65", "baseFeePerGas": "0x3b9aca00"}
LOG = {
    "blockNumber": "0x7",
    "blockHash": HASH,
    "logIndex": "0x0",
    "transactionHash": OTHER_HASH,
    "address": CONTRACT.upper().replace("0X", "0x"),
    "topics": [HASH],
    "data": "0x00",
    "removed": False,
}
RECEIPT = {
    "transactionHash": OTHER_HASH,
    "blockNumber": "0x7",
    "blockHash": HASH,
    "status": "0x1",
    "gasUsed": "0x5208",
    "contractAddress": None,
    "logs": [LOG],
}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=70)
    | st.sampled_from([HASH, CONTRACT, "0x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


class LyingNode(LedgerClient):
    """A client whose node answers these bytes."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("http://node.invalid")
        self._answer = answer

    def _post(self, _body: bytes) -> bytes:
        return self._answer


READS: list[Callable[[LedgerClient], Any]] = [
    LedgerClient.chain_id,
    LedgerClient.head,
    lambda client: client.block(7),
    lambda client: client.block(HASH),
    lambda client: client.nonce(CONTRACT),
    lambda client: client.balance_wei(CONTRACT),
    lambda client: client.code(CONTRACT),
    lambda client: client.call(CONTRACT, b""),
    lambda client: client.calls(CONTRACT, [b"", b""], at=7),
    lambda client: client.receipt(HASH),
    lambda client: client.receipts([HASH, OTHER_HASH]),
    LedgerClient.tip_wei,
    lambda client: client.send([b"\x01"]),
    lambda client: client.logs([CONTRACT], first=1, last=9),
]
reads = st.sampled_from(READS)


def tried(read: Callable[[LedgerClient], Any], answer: bytes) -> None:
    failure: NebulaError | None = None
    try:
        read(LyingNode(answer))
    except NebulaError as error:
        failure = error
    assert failure is None or failure.message


@given(reads, st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_a_clear_error(read: Callable[[LedgerClient], Any], answer: bytes) -> None:
    tried(read, answer)


@given(reads, values)
def test_any_json_is_an_answer_or_a_clear_error(read: Callable[[LedgerClient], Any], answer: Any) -> None:
    tried(read, json.dumps(answer).encode())


@given(reads, values, st.sampled_from(["result", "error"]))
def test_any_result_or_error_is_an_answer_or_a_clear_error(
    read: Callable[[LedgerClient], Any], inside: Any, field: str
) -> None:
    tried(read, json.dumps([{"jsonrpc": "2.0", "id": place, field: inside} for place in (0, 1)]).encode())
    tried(read, json.dumps({"jsonrpc": "2.0", "id": 0, field: inside}).encode())


@pytest.mark.parametrize("good", [BLOCK, LOG, RECEIPT], ids=["block", "log", "receipt"])
@given(data=st.data())
def test_one_field_that_is_left_out_or_of_another_kind_is_noticed(good: dict[str, Any], data: st.DataObject) -> None:
    def parse(answer: Any) -> Any:
        if good is BLOCK:
            return block_ref(answer)
        return raw_logs([answer], of=[CONTRACT]) if good is LOG else transaction_receipt(answer)

    parse(good)
    optional = {"baseFeePerGas", "contractAddress", "removed"}
    field = data.draw(st.sampled_from(sorted(set(good) - optional)))
    with pytest.raises(UnavailableError) as missing:
        parse({name: value for name, value in good.items() if name != field})
    assert missing.value.code == "ledger.malformed"
    wrong = data.draw(st.none() | st.booleans() | st.integers() | st.just({}) | st.text("xyz", max_size=5))
    with pytest.raises(UnavailableError):
        parse(good | {field: wrong})


def test_what_a_node_answers_rightly_is_read() -> None:
    block = block_ref(BLOCK)
    assert block is not None
    assert (block.number, block.timestamp_seconds, block.base_fee_wei) == (7, 101, 10**9)
    (log,) = raw_logs([LOG], of=[CONTRACT])
    assert (log.address, log.topics, log.body) == (CONTRACT, (HASH,), "0x00")
    receipt = transaction_receipt(RECEIPT | {"contractAddress": CONTRACT, "revertReason": "0x08"})
    assert receipt is not None
    assert (receipt.succeeded, receipt.gas_used, receipt.contract, receipt.revert_data) == (
        True,
        21_000,
        CONTRACT,
        b"\x08",
    )
    assert (block_ref(None), transaction_receipt(None), from_hex("0x"), from_quantity("0x0")) == (None, None, b"", 0)


def test_a_log_of_a_contract_that_nobody_asked_about_is_a_lie() -> None:
    with pytest.raises(IntegrityError):
        raw_logs([LOG], of=[])


def test_a_height_that_no_chain_reaches_is_malformed() -> None:
    with pytest.raises(UnavailableError):
        block_ref(BLOCK | {"number": "0x" + "f" * 16})


def test_a_batch_of_which_an_answer_is_missing_is_no_answer() -> None:
    half = msgspec.json.encode(
        [{"jsonrpc": "2.0", "id": 0, "result": "0x"}, {"jsonrpc": "2.0", "id": 9, "result": "0x"}]
    )
    with pytest.raises(NebulaError):
        LyingNode(half).calls(CONTRACT, [b"", b""], at=7)
