"""The virtual machine: executes blocks and calls on a state root. Holds no state of its own.

Prague rules by py-evm, with one departure: a block may carry its parent's timestamp. Blocks here come many
to the second, and ledger time must not run ahead of the clock (see ADR 2).

py-evm's classes are typed only in part; they stay inside this module, ``headers``, ``timed`` and ``transactions``.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.db.trie import make_trie_root_and_nodes
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlock
from eth.vm.spoof import SpoofTransaction
from eth_utils.exceptions import ValidationError

from nebula.ledger.genesis import Genesis
from nebula.ledger.node import headers, timed
from nebula.ledger.node.blocks import Block, Executed, Log
from nebula.ledger.node.headers import Header
from nebula.ledger.node.state import StateOverlay
from nebula.ledger.node.transactions import SignedTransaction
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.ids import to_bytes
from nebula.protocol.money import wei_from_wire

_MAX_KEPT_OUTPUT_BYTES = 4096
_CALLS_ON_ONE_STATE = 2_000

_new_vm: Any = PragueVM  # py-evm asks for a chain database; the few parts of it that it uses are given here
_new_block: Any = PragueBlock


@dataclass(frozen=True)
class Call:
    """A call that changes nothing: eth_call's and eth_estimateGas's argument."""

    sender: bytes
    to: bytes
    input: bytes
    value_wei: int
    gas: int


@dataclass(frozen=True)
class CallResult:
    """How a call ended. ``failure`` names the exception, ``Revert`` for a revert, or is None."""

    output: bytes
    gas_used: int
    failure: str | None


@dataclass(frozen=True)
class Outcome:
    """What executing a list of transactions gave.

    Attributes:
        block: the block, or None if every transaction taken was refused.
        refused: why, by position in the list.
        taken: how many of the list were looked at; the rest did not fit into the block.
    """

    block: Block | None
    refused: dict[int, RejectedInputError]
    taken: int


class AccountState:
    """What accounts hold after a block."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def balance_wei(self, address: bytes) -> int:
        """Return an account's ether."""
        return int(self._state.get_balance(address))

    def nonce(self, address: bytes) -> int:
        """Return how many transactions an account has sent."""
        return int(self._state.get_nonce(address))

    def code(self, address: bytes) -> bytes:
        """Return a contract's code, or nothing."""
        return bytes(self._state.get_code(address))

    def storage(self, address: bytes, slot: int) -> bytes:
        """Return one 32-byte word of a contract's storage."""
        return int(self._state.get_storage(address, slot)).to_bytes(32, "big")


@dataclass
class _Opened:
    """A state that calls are executed on, one after the other, each taken back."""

    key: tuple[bytes, int | None]
    vm: Any
    calls: int = 0


class Machine:
    """Executes on top of a parent header. Use each from one thread.

    Args:
        read: returns a trie node or code by its hash, raising KeyError.
        ancestors: returns block hashes from the given number downwards, newest first (BLOCKHASH).
        monotonic: seconds that calls are timed by.
    """

    def __init__(
        self,
        chain_id: int,
        read: Callable[[bytes], bytes],
        ancestors: Callable[[int], Iterable[bytes]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = ChainContext(chain_id)
        self._read = read
        self._ancestors = ancestors
        self._monotonic = monotonic
        self._opened: _Opened | None = None

    def execute(self, parent: Header, transactions: list[SignedTransaction], *, timestamp_seconds: int) -> Outcome:
        """Make the next block out of those transactions that are valid in this order."""
        vm, overlay = self._open(headers.child(parent, timestamp_seconds))
        header = vm.get_header()
        vm.block_preprocessing(_new_block(header, [], [], []))
        executed: list[Executed] = []
        receipts: list[Any] = []
        refused: dict[int, RejectedInputError] = {}
        taken = 0
        for position, transaction in enumerate(transactions):
            if executed and header.gas_used + transaction.gas > header.gas_limit:
                break
            taken += 1
            try:
                receipt, computation = _apply(vm, header, transaction)
            except RejectedInputError as error:
                refused[position] = error
                continue
            executed.append(_executed(transaction, receipt, computation, header))
            header = vm.add_receipt_to_header(header, receipt)
            receipts.append(receipt)
        if not executed:
            return Outcome(None, refused, taken)
        kept = [transaction.engine for place, transaction in enumerate(transactions[:taken]) if place not in refused]
        vm.state.persist()
        sealed = header.copy(
            state_root=vm.state.state_root,
            transaction_root=make_trie_root_and_nodes(kept)[0],
            receipt_root=make_trie_root_and_nodes(receipts)[0],
        )
        return Outcome(Block(headers.plain(sealed), tuple(executed), overlay.written), refused, taken)

    def call(self, header: Header, call: Call, *, pending_at: int | None = None) -> CallResult:
        """Execute a call on the state after ``header``'s block, without fees.

        With ``pending_at``, a Unix time, as if inside a block made then on top of it.

        Raises:
            RejectedInputError: the sender cannot afford the value, or gas is below the intrinsic cost.
            UnavailableError: ``ledger.time``; it takes too long.
        """
        vm = self._callable(header, pending_at)
        unsigned = vm.create_unsigned_transaction(
            nonce=vm.state.get_nonce(call.sender),
            gas_price=0,
            gas=call.gas,
            to=call.to,
            value=call.value_wei,
            data=call.input,
        )
        if call.gas < unsigned.intrinsic_gas:
            raise RejectedInputError("ledger.gas", f"intrinsic gas too low: needs {unsigned.intrinsic_gas:,}")
        vm.state.lock_changes()  # forgets what the call before had warmed up
        untouched = vm.state.snapshot()
        timed.bound(vm.state, self._monotonic)
        try:
            computation = vm.state.apply_transaction(SpoofTransaction(unsigned, from_=call.sender))
        except ValidationError as error:
            raise _refusal(error) from error
        except UnavailableError:
            self._opened = None  # it stopped in the middle of an instruction: nothing goes on from there
            raise
        finally:
            vm.state.revert(untouched)
        gas_used = vm.finalize_gas_used(unsigned, computation)
        failure = None if computation.is_success else type(computation.error).__name__
        return CallResult(bytes(computation.output), gas_used, failure)

    def _callable(self, header: Header, pending_at: int | None) -> Any:
        """Open the state for calls, or go on with the one that the last call used: opening costs most of a call."""
        key = (header.hash, pending_at)
        if self._opened is None or self._opened.key != key or self._opened.calls >= _CALLS_ON_ONE_STATE:
            base = headers.engine_header(header.raw) if pending_at is None else headers.child(header, pending_at)
            vm, _ = self._open(base.copy(base_fee_per_gas=0, gas_used=0))
            self._opened = _Opened(key, vm)
        self._opened.calls += 1
        return self._opened.vm

    def state(self, header: Header) -> AccountState:
        """Return what accounts hold after ``header``'s block."""
        return AccountState(self._open(headers.engine_header(header.raw))[0].state)

    def genesis(self, genesis: Genesis) -> Block:
        """Make block 0 with its prefunded accounts."""
        header = headers.first(gas_limit=genesis.gas_limit, timestamp_seconds=genesis.timestamp_seconds)
        vm, overlay = self._open(header)
        for address, balance_wei in sorted(genesis.balances.items()):
            vm.state.set_balance(to_bytes(address), wei_from_wire(balance_wei))
        vm.state.persist()
        return Block(headers.plain(header.copy(state_root=vm.state.state_root)), (), overlay.written)

    def _open(self, header: Any) -> tuple[Any, StateOverlay]:
        overlay = StateOverlay(self._read)
        vm = _new_vm(header, SimpleNamespace(db=overlay), self._context, None)
        previous = _lazily(self._ancestors, header.block_number - 1)
        vm._state = vm.build_state(overlay, header, self._context, previous)  # noqa: SLF001  # see _new_vm
        return vm, overlay


def _lazily(ancestors: Callable[[int], Iterable[bytes]], number: int) -> Iterator[bytes]:
    yield from ancestors(number)


def _apply(vm: Any, header: Any, transaction: SignedTransaction) -> tuple[Any, Any]:
    expected = vm.state.get_nonce(transaction.sender)
    if transaction.nonce != expected:
        side = "low" if transaction.nonce < expected else "high"
        raise RejectedInputError(
            f"ledger.nonce-{side}", f"nonce too {side}: next is {expected}, got {transaction.nonce}"
        )
    try:
        receipt, computation = vm.apply_transaction(header, transaction.engine)
    except ValidationError as error:
        raise _refusal(error) from error
    return receipt, computation


def _executed(transaction: SignedTransaction, receipt: Any, computation: Any, header: Any) -> Executed:
    tip = transaction.max_priority_fee_wei + header.base_fee_per_gas
    return Executed(
        hash=transaction.hash,
        raw=transaction.raw,
        sender=transaction.sender,
        to=transaction.to,
        contract=bytes(computation.msg.storage_address) if transaction.to == CREATE_CONTRACT_ADDRESS else None,
        succeeded=computation.is_success,
        gas_used=receipt.gas_used - header.gas_used,
        cumulative_gas_used=receipt.gas_used,
        effective_gas_price=min(transaction.max_fee_wei, tip),
        output=b"" if computation.is_success else bytes(computation.output[:_MAX_KEPT_OUTPUT_BYTES]),
        logs=tuple(
            Log(bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
            for address, topics, data in computation.get_log_entries()
        ),
    )


_REFUSALS = (
    ("cannot afford", "ledger.ether", "insufficient funds"),
    ("enough balance", "ledger.ether", "insufficient funds"),
    ("base fee", "ledger.fee", "max fee per gas less than block base fee"),
    ("exceeds gas limit", "ledger.block-full", "exceeds block gas limit"),
)


def _refusal(error: ValidationError) -> RejectedInputError:
    """Turn py-evm's sentence into a stable code, in the words that Ethereum clients expect."""
    sentence = str(error)
    for marker, code, words in _REFUSALS:
        if marker in sentence:
            return RejectedInputError(code, f"{words}: {sentence}")
    return RejectedInputError("ledger.transaction", sentence)
