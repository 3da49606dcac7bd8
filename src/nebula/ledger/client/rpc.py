"""JSON-RPC to an Ethereum node: requests, batches, retries, and errors sorted by who must act."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec

from nebula.ledger.client.reverts import revert_reason
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, Hash32, to_hex

TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
_RETRY_SECONDS = (0.1, 0.4, 1.6)
_IN_ONE_BATCH = 500
_MAX_LOG_BLOCKS = 10_000
_REVERTED = 3
_AWAY_CODES = (-32002, -32603)
_LIMIT_CODE = -32005
_LIMIT_WORDS = ("too large", "more than", "limit exceeded", "query returned", "range")

Request = tuple[str, list[Any]]
At = int | Hash32 | None
"""Which block a read is about: its number, its hash, or None for the latest."""


class RevertedError(NotPermittedError):
    """A contract said no. ``reason`` is its own sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__("ledger.reverted", f"the ledger refuses: {reason}")
        self.reason = reason


class TooMuchError(RejectedInputError):
    """The node would have to answer too much at once: ask for less."""


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block: where the ledger stood."""

    number: int
    hash: Hash32
    parent_hash: Hash32
    timestamp_seconds: int
    base_fee_wei: int


@dataclass(frozen=True, slots=True)
class RawLog:
    """An event as the node gives it; hex strings are kept, they are decoded where they are needed."""

    block_number: int
    block_hash: Hash32
    log_index: int
    transaction_hash: Hash32
    address: Address
    topics: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """How a transaction ended, and in which block."""

    transaction_hash: Hash32
    block_number: int
    block_hash: Hash32
    succeeded: bool
    gas_used: int
    contract: Address | None
    logs: tuple[RawLog, ...]
    revert_data: bytes | None
    """What the contract said when it refused, where the node keeps it."""


class LedgerClient:
    """A connection to one node. Thread-safe, as its HTTP client is.

    Args:
        url: the node's JSON-RPC endpoint.
        timeout: of one request.
        sleep: waits between retries.
    """

    def __init__(
        self, url: str, *, timeout: httpx2.Timeout = TIMEOUT, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = url
        self._http = httpx2.Client(timeout=timeout, trust_env=False)
        self._sleep = sleep

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    # Requests

    def request(self, method: str, *arguments: Any) -> Any:
        """Make one call.

        Raises:
            UnavailableError: the node does not answer, or is out of order for now.
            RevertedError: a contract refused.
            RejectedInputError: the node refused the request itself.
        """
        return self.results([(method, list(arguments))])[0]

    def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Make many calls; answers are in order, and where one failed stands its error."""
        answers: list[Any] = []
        for start in range(0, len(requests), _IN_ONE_BATCH):
            answers += self._batch(requests[start : start + _IN_ONE_BATCH])
        return answers

    def results(self, requests: Sequence[Request]) -> list[Any]:
        """Make many calls that must all succeed.

        Raises:
            NebulaError: the first failure.
        """
        answers = self.batch(requests)
        for answer in answers:
            if isinstance(answer, NebulaError):
                raise answer
        return answers

    def _batch(self, requests: Sequence[Request]) -> list[Any]:
        bodies = [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": arguments}
            for place, (method, arguments) in enumerate(requests)
        ]
        single = len(bodies) == 1
        raw = self._post(msgspec.json.encode(bodies[0] if single else bodies))
        # SECURITY: the node's bytes come in here.
        try:
            decoded = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnavailableError("ledger.away", f"{self.url} does not answer in JSON-RPC") from error
        listed = decoded if isinstance(decoded, list) else [decoded]
        by_id = {answer.get("id"): answer for answer in listed if isinstance(answer, dict)}
        if not single and len(by_id) != len(requests):
            raise _error_of(listed[0].get("error") if listed and isinstance(listed[0], dict) else None)
        return [_result_of(by_id.get(place, listed[0] if single else {})) for place in range(len(requests))]

    def _post(self, body: bytes) -> bytes:
        for pause in (*_RETRY_SECONDS, None):
            try:
                response = self._http.post(self.url, content=body, headers={"content-type": "application/json"})
            except httpx2.TransportError as error:
                if pause is None or isinstance(error, httpx2.ReadTimeout):
                    raise UnavailableError(
                        "ledger.away",
                        f"the ledger at {self.url} does not answer: {error}",
                        hint="nothing is lost; start the ledger, then the same is tried again",
                    ) from error
            else:
                if response.status_code not in (502, 503, 504) or pause is None:
                    return response.content
            self._sleep(pause)
        raise AssertionError  # the last round returned or raised

    # Blocks and accounts

    def chain_id(self) -> int:
        """Return the chain's id."""
        return int(self.request("eth_chainId"), 16)

    def require_chain(self, chain_id: int) -> None:
        """Make sure that this is the chain it should be.

        Raises:
            IntegrityError: it is another one.
        """
        found = self.chain_id()
        if found != chain_id:
            raise IntegrityError("ledger.chain", f"{self.url} is chain {found}, expected {chain_id}")

    def head(self) -> BlockRef:
        """Return the latest block."""
        block = self.block(None)
        if block is None:
            raise UnavailableError("ledger.away", f"{self.url} has no latest block")
        return block

    def block(self, at: At) -> BlockRef | None:
        """Return a block, or None if the node has no such block."""
        if isinstance(at, str):
            return block_ref(self.request("eth_getBlockByHash", at, False))
        return block_ref(self.results([block_request(at)])[0])

    def nonce(self, address: Address, at: At = None) -> int:
        """Return how many transactions an address has sent."""
        return int(self.request("eth_getTransactionCount", address, block_tag(at)), 16)

    def balance_wei(self, address: Address, at: At = None) -> int:
        """Return an address's ether."""
        return int(self.request("eth_getBalance", address, block_tag(at)), 16)

    def code(self, address: Address, at: At = None) -> bytes:
        """Return a contract's code; empty where there is none."""
        return _bytes(self.request("eth_getCode", address, block_tag(at)))

    # Contracts

    def call(self, to: Address, data: bytes, at: At = None) -> bytes:
        """Read from a contract.

        Raises:
            RevertedError: the contract refused.
        """
        return _bytes(self.results([call_request(to, data, at)])[0])

    def calls(self, to: Address, datas: Sequence[bytes], at: At = None) -> list[bytes]:
        """Read many things from one contract, in one request, about one block.

        Raises:
            RevertedError: the contract refused one of them.
        """
        if at is None and len(datas) > 1:
            at = self.head().hash
        return [_bytes(answer) for answer in self.results([call_request(to, data, at) for data in datas])]

    # Transactions

    def send(self, raw_transactions: Sequence[bytes]) -> list[Hash32 | NebulaError]:
        """Send signed transactions in order; the embedded ledger puts them into one block.

        Each position has the transaction's hash, or the error that refused it.
        """
        return self.batch([("eth_sendRawTransaction", [to_hex(raw)]) for raw in raw_transactions])

    def receipts(self, hashes: Sequence[Hash32]) -> list[TransactionReceipt | None]:
        """Return receipts; None where a transaction is in no block."""
        answers = self.results([("eth_getTransactionReceipt", [item]) for item in hashes])
        return [None if answer is None else _receipt(answer) for answer in answers]

    def receipt(self, transaction_hash: Hash32) -> TransactionReceipt | None:
        """Return a receipt, or None while the transaction is in no block."""
        return self.receipts([transaction_hash])[0]

    def tip_wei(self) -> int:
        """Return the priority fee that the node suggests."""
        return int(self.request("eth_maxPriorityFeePerGas"), 16)

    # Events

    def logs(
        self, addresses: Sequence[Address], *, first: int, last: int, topics: Sequence[Sequence[str] | None] = ()
    ) -> list[RawLog]:
        """Return events in order, asking for fewer blocks at a time where the node wants that.

        Args:
            addresses: of the contracts.
            first: first block.
            last: last block, inclusive.
            topics: per place, the accepted topics, or None for any.
        """
        found: list[RawLog] = []
        start, step = first, _MAX_LOG_BLOCKS
        while start <= last:
            end = min(start + step - 1, last)
            query = log_query(addresses, start, end, topics)
            try:
                found += [raw_log(item) for item in self.request("eth_getLogs", query)]
            except TooMuchError:
                if start == end:
                    raise
                step = max(1, (end - start + 1) // 2)
                continue
            start = end + 1
        return found


def block_tag(at: At) -> Any:
    """Return how JSON-RPC names a block."""
    if at is None:
        return "latest"
    return hex(at) if isinstance(at, int) else {"blockHash": at}


def block_request(at: int | None) -> Request:
    """Return the request for a block's header by number."""
    return ("eth_getBlockByNumber", [block_tag(at), False])


def call_request(to: Address, data: bytes, at: At) -> Request:
    """Return the request for one read."""
    return ("eth_call", [{"to": to, "data": to_hex(data)}, block_tag(at)])


def log_query(
    addresses: Sequence[Address], first: int, last: int, topics: Sequence[Sequence[str] | None]
) -> dict[str, Any]:
    """Return eth_getLogs' argument."""
    query: dict[str, Any] = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses)}
    if topics:
        query["topics"] = [None if place is None else list(place) for place in topics]
    return query


def block_ref(answer: Any) -> BlockRef | None:
    """Return a block out of the node's answer."""
    if answer is None:
        return None
    return BlockRef(
        number=int(answer["number"], 16),
        hash=answer["hash"],
        parent_hash=answer["parentHash"],
        timestamp_seconds=int(answer["timestamp"], 16),
        base_fee_wei=int(answer.get("baseFeePerGas", "0x0"), 16),
    )


def raw_log(answer: Any) -> RawLog:
    """Return a log out of the node's answer."""
    return RawLog(
        block_number=int(answer["blockNumber"], 16),
        block_hash=answer["blockHash"],
        log_index=int(answer["logIndex"], 16),
        transaction_hash=answer["transactionHash"],
        address=answer["address"].lower(),
        topics=tuple(answer["topics"]),
        body=answer["data"],
    )


def _receipt(answer: Any) -> TransactionReceipt:
    contract = answer.get("contractAddress")
    revert = answer.get("revertReason")
    return TransactionReceipt(
        transaction_hash=answer["transactionHash"],
        block_number=int(answer["blockNumber"], 16),
        block_hash=answer["blockHash"],
        succeeded=int(answer["status"], 16) == 1,
        gas_used=int(answer["gasUsed"], 16),
        contract=None if contract is None else contract.lower(),
        logs=tuple(raw_log(item) for item in answer["logs"]),
        revert_data=_bytes(revert) if isinstance(revert, str) and revert.startswith("0x") else None,
    )


def _bytes(answer: Any) -> bytes:
    return bytes.fromhex(answer[2:])


def _result_of(answer: Any) -> Any:
    if "error" in answer:
        return _error_of(answer["error"])
    return answer["result"] if "result" in answer else _error_of(None)


def _error_of(error: Any) -> NebulaError:
    if not isinstance(error, dict):
        return UnavailableError("ledger.away", "the ledger's answer is neither a result nor an error")
    code, message, extra = error.get("code"), str(error.get("message", "")), error.get("data")
    if code == _REVERTED or "revert" in message.lower():
        output = _bytes(extra) if isinstance(extra, str) and extra.startswith("0x") else b""
        return RevertedError(revert_reason(output) or message)
    if code in _AWAY_CODES:
        return UnavailableError("ledger.away", f"the ledger is out of order: {message}")
    if code == _LIMIT_CODE or any(words in message.lower() for words in _LIMIT_WORDS):
        return TooMuchError("ledger.too-much", message)
    return RejectedInputError(_code_of(extra, message), message)


_MEANINGS = (
    ("already known", "ledger.known"),
    ("already imported", "ledger.known"),
    ("nonce too low", "ledger.nonce-low"),
    ("nonce too high", "ledger.nonce-high"),
    ("insufficient funds", "ledger.ether"),
)


def _code_of(extra: Any, message: str) -> str:
    if isinstance(extra, dict) and isinstance(extra.get("code"), str):
        return str(extra["code"])
    return next((code for words, code in _MEANINGS if words in message.lower()), "ledger.refused")
