"""The JSON-RPC methods that change nothing. Each is a few lines over the store and the machine."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from nebula.ledger.node import params, present
from nebula.ledger.node.chain import Reader
from nebula.ledger.node.headers import Header, next_base_fee
from nebula.ledger.node.machine import Call, CallResult
from nebula.ledger.node.store import LogQuery
from nebula.ledger.node.transactions import MAX_TRANSACTION_GAS
from nebula.protocol.errors import NebulaError, RejectedInputError
from nebula.protocol.ids import to_hex

MAX_LOG_BLOCKS = 10_000
MAX_LOGS = 10_000
_MAX_FEE_BLOCKS = 1024
_SUGGESTED_TIP_WEI = 0


class LimitError(RejectedInputError):
    """The answer would be too large: ask for less at a time."""


class CallRevertedError(NebulaError):
    """A call ended in a revert or another failure; ``output`` is the revert data."""

    def __init__(self, message: str, output: bytes, *, reverted: bool) -> None:
        super().__init__("ledger.reverted", message)
        self.output = output
        self.reverted = reverted


class Methods:
    """Answers from one consistent view of the chain; one instance per reading thread."""

    def __init__(self, reader: Reader, now: Callable[[], int]) -> None:
        self._store = reader.store
        self._machine = reader.machine
        self._chain_id = reader.genesis.chain_id
        self._now = now
        self.table: dict[str, Callable[..., Any]] = {
            "eth_blockNumber": lambda: present.quantity(self._head().number),
            "eth_call": self._call,
            "eth_chainId": lambda: present.quantity(self._chain_id),
            "eth_estimateGas": self._estimate_gas,
            "eth_feeHistory": self._fee_history,
            "eth_gasPrice": lambda: present.quantity(self._next_base_fee() + _SUGGESTED_TIP_WEI),
            "eth_getBalance": self._balance,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getCode": self._code,
            "eth_getLogs": self._logs,
            "eth_getStorageAt": self._storage,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionCount": self._nonce,
            "eth_getTransactionReceipt": self._receipt,
            "eth_maxPriorityFeePerGas": lambda: present.quantity(_SUGGESTED_TIP_WEI),
            "eth_syncing": lambda: False,
            "net_version": lambda: str(self._chain_id),
            "web3_clientVersion": lambda: f"nebula/{version('nebula-network')}/py-evm",
        }

    def answer(self, method: str, arguments: list[Any]) -> Any:
        """Answer one call within one snapshot of the file.

        Raises:
            NebulaError: whatever refuses it.
            KeyError: there is no such method.
            TypeError: wrong number of arguments.
        """
        with self._store.snapshot():
            return self.table[method](*arguments)

    def _head(self) -> Header:
        head = self._store.head()
        assert head is not None  # noqa: S101  # a served chain has its genesis
        return head

    def _next_base_fee(self) -> int:
        return next_base_fee(self._head())

    def _header(self, tag: Any) -> Header:
        header = self._find(tag)
        if header is None:
            raise RejectedInputError("ledger.no-block", "header not found: there is no such block")
        return header

    def _find(self, tag: Any) -> Header | None:
        if isinstance(tag, dict):
            if "blockHash" in tag:
                return self._store.header_by_hash(params.parse_word(tag["blockHash"]))
            tag = tag.get("blockNumber")
        if tag in ("latest", "safe", "finalized", "pending"):
            return self._head()
        return self._store.header(0 if tag == "earliest" else min(params.parse_quantity(tag), 2**63 - 1))

    def _block_by_number(self, tag: Any, whole: Any = False) -> dict[str, Any] | None:
        return self._block(self._find(tag), whole)

    def _block_by_hash(self, block_hash: Any, whole: Any = False) -> dict[str, Any] | None:
        return self._block(self._store.header_by_hash(params.parse_word(block_hash)), whole)

    def _block(self, header: Header | None, whole: Any) -> dict[str, Any] | None:
        if header is None:
            return None
        rows = self._store.transactions(header.number)
        if params.parse_flag(whole):
            return present.block(header, [present.transaction(row, header, self._chain_id) for row in rows])
        return present.block(header, [to_hex(row.executed.hash) for row in rows])

    def _transaction(self, transaction_hash: Any) -> dict[str, Any] | None:
        row = self._store.transaction(params.parse_word(transaction_hash))
        return None if row is None else present.transaction(row, self._header(hex(row.block)), self._chain_id)

    def _receipt(self, transaction_hash: Any) -> dict[str, Any] | None:
        row = self._store.transaction(params.parse_word(transaction_hash))
        return None if row is None else present.receipt(row, self._header(hex(row.block)))

    def _logs(self, raw_filter: Any) -> list[dict[str, Any]]:
        wanted = params.parse_log_filter(raw_filter)
        if wanted.block_hash is not None:
            first = last = self._header({"blockHash": to_hex(wanted.block_hash)}).number
        else:
            first = self._bound(wanted.first)
            last = min(self._bound(wanted.last), self._head().number)
        if last - first >= MAX_LOG_BLOCKS:
            raise LimitError("ledger.range", f"block range too large: at most {MAX_LOG_BLOCKS:,} blocks at a time")
        query = LogQuery(first, last, wanted.addresses, wanted.topics)
        found = self._store.logs(query, limit=MAX_LOGS + 1)
        if len(found) > MAX_LOGS:
            raise LimitError("ledger.range", f"query returned more than {MAX_LOGS:,} results: ask for fewer blocks")
        hashes = self._store.hashes({(entry.block, entry.position) for entry in found})
        return [
            present.log(entry, hashes.blocks[entry.block], hashes.transactions[entry.block, entry.position])
            for entry in found
        ]

    def _bound(self, tag: Any) -> int:
        if tag in ("latest", "safe", "finalized", "pending"):
            return self._head().number
        return 0 if tag == "earliest" else min(params.parse_quantity(tag), 2**63 - 1)

    def _balance(self, address: Any, tag: Any = "latest") -> str:
        return present.quantity(self._machine.state(self._header(tag)).balance_wei(params.parse_address(address)))

    def _nonce(self, address: Any, tag: Any = "latest") -> str:
        return present.quantity(self._machine.state(self._header(tag)).nonce(params.parse_address(address)))

    def _code(self, address: Any, tag: Any = "latest") -> str:
        return to_hex(self._machine.state(self._header(tag)).code(params.parse_address(address)))

    def _storage(self, address: Any, slot: Any, tag: Any = "latest") -> str:
        state = self._machine.state(self._header(tag))
        return to_hex(state.storage(params.parse_address(address), params.parse_slot(slot)))

    def _call(self, raw_call: Any, tag: Any = "latest") -> str:
        return to_hex(_successful(self._run(params.parse_call(raw_call), tag)).output)

    def _run(self, call: Call, tag: Any) -> CallResult:
        if tag == "pending":
            return self._machine.call(self._head(), call, pending_at=self._now())
        return self._machine.call(self._header(tag), call)

    def _estimate_gas(self, raw_call: Any, tag: Any = "pending") -> str:
        call = params.parse_call(raw_call)
        high = min(call.gas, MAX_TRANSACTION_GAS)
        low = _successful(self._run(_with_gas(call, high), tag)).gas_used - 1
        while high - low > max(high // 64, 1):
            middle = (low + high) // 2
            if self._suffices(_with_gas(call, middle), tag):
                high = middle
            else:
                low = middle
        return present.quantity(high)

    def _suffices(self, call: Call, tag: Any) -> bool:
        try:
            return self._run(call, tag).failure is None
        except RejectedInputError:
            return False

    def _fee_history(self, count: Any, newest: Any, percentiles: Any = None) -> dict[str, Any]:
        wanted = params.parse_quantity(count) if isinstance(count, str) else count
        if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= _MAX_FEE_BLOCKS:
            raise params.reject(f"ask for 1 to {_MAX_FEE_BLOCKS} blocks")
        asked = [] if percentiles is None else params.parse_percentiles(percentiles)
        last = self._header(newest)
        numbers = range(max(0, last.number - wanted + 1), last.number + 1)
        headers = [self._header(hex(number)) for number in numbers]
        tips = [[present.quantity(_SUGGESTED_TIP_WEI)] * len(asked)] * len(headers) if asked else None
        fees = [header.base_fee_wei for header in headers] + [next_base_fee(last)]
        history = {
            "oldestBlock": present.quantity(numbers.start),
            "baseFeePerGas": [present.quantity(fee) for fee in fees],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        return history if tips is None else history | {"reward": tips}


def _with_gas(call: Call, gas: int) -> Call:
    return Call(call.sender, call.to, call.input, call.value_wei, gas)


def _successful(result: CallResult) -> CallResult:
    if result.failure is None:
        return result
    reverted = result.failure == "Revert"
    message = "execution reverted" if reverted else f"execution failed: {result.failure}"
    raise CallRevertedError(message, result.output, reverted=reverted)
