"""JSON-RPC to an Ethereum node: requests, batches, retries."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import msgspec

from nebula.ledger.client.answers import (
    BlockRef,
    RawLog,
    TransactionReceipt,
    Word,
    block_ref,
    from_hex,
    from_quantity,
    parse_answer,
    raw_logs,
    transaction_receipt,
)
from nebula.ledger.client.failures import TooMuchError, failure_of, result_of
from nebula.ledger.client.requests import At, Request, block_request, block_tag, call_request, log_query
from nebula.protocol.errors import IntegrityError, NebulaError, UnavailableError
from nebula.protocol.ids import Address, Hash32, to_hex

TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
_RETRY_SECONDS = (0.1, 0.4, 1.6)
_IN_ONE_BATCH = 500
_MAX_LOG_BLOCKS = 10_000


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
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnavailableError("ledger.away", f"{self.url} does not answer in JSON-RPC") from error
        listed = [
            answer for answer in (decoded if isinstance(decoded, list) else [decoded]) if isinstance(answer, dict)
        ]
        if not listed:
            raise failure_of(None)
        by_id = {answer["id"]: answer for answer in listed if isinstance(answer.get("id"), int)}
        if not single and not all(place in by_id for place in range(len(requests))):
            raise failure_of(listed[0].get("error"))
        return [result_of(by_id.get(place, listed[0])) for place in range(len(requests))]

    def _post(self, body: bytes) -> bytes:
        for pause in (*_RETRY_SECONDS, None):
            try:
                response = self._http.post(self.url, content=body, headers={"content-type": "application/json"})
            except httpx2.HTTPError as error:
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
        return from_quantity(self.request("eth_chainId"))

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
        return from_quantity(self.request("eth_getTransactionCount", address, block_tag(at)))

    def balance_wei(self, address: Address, at: At = None) -> int:
        """Return an address's ether."""
        return from_quantity(self.request("eth_getBalance", address, block_tag(at)))

    def code(self, address: Address, at: At = None) -> bytes:
        """Return a contract's code; empty where there is none."""
        return from_hex(self.request("eth_getCode", address, block_tag(at)))

    # Contracts

    def call(self, to: Address, data: bytes, at: At = None) -> bytes:
        """Read from a contract.

        Raises:
            RevertedError: the contract refused.
        """
        return from_hex(self.results([call_request(to, data, at)])[0])

    def calls(self, to: Address, datas: Sequence[bytes], at: At = None) -> list[bytes]:
        """Read many things from one contract, in one request, about one block.

        Raises:
            RevertedError: the contract refused one of them.
        """
        if at is None and len(datas) > 1:
            at = self.head().hash
        return [from_hex(answer) for answer in self.results([call_request(to, data, at) for data in datas])]

    # Transactions

    def send(self, raw_transactions: Sequence[bytes]) -> list[Hash32 | NebulaError]:
        """Send signed transactions in order; the embedded ledger puts them into one block.

        Each position has the transaction's hash, or the error that refused it.
        """
        answers = self.batch([("eth_sendRawTransaction", [to_hex(raw)]) for raw in raw_transactions])
        return [answer if isinstance(answer, NebulaError) else parse_answer(Word, answer) for answer in answers]

    def receipts(self, hashes: Sequence[Hash32]) -> list[TransactionReceipt | None]:
        """Return receipts; None where a transaction is in no block."""
        answers = self.results([("eth_getTransactionReceipt", [item]) for item in hashes])
        return [transaction_receipt(answer) for answer in answers]

    def receipt(self, transaction_hash: Hash32) -> TransactionReceipt | None:
        """Return a receipt, or None while the transaction is in no block."""
        return self.receipts([transaction_hash])[0]

    def tip_wei(self) -> int:
        """Return the priority fee that the node suggests."""
        return from_quantity(self.request("eth_maxPriorityFeePerGas"))

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
                found += raw_logs(self.request("eth_getLogs", query), of=addresses)
            except TooMuchError:
                if start == end:
                    raise
                step = max(1, (end - start + 1) // 2)
                continue
            start = end + 1
        return found
