"""From the outbox to the ledger, in steps that may each be interrupted and repeated.

(1) Queued rows get consecutive nonces and are signed; nonce and bytes are stored **before** anything is sent.
(2) Every signed row's bytes are sent again and again, always the same, until (3) its receipt stands deep enough.
A process that dies between any two lines finds on restart either a queued row, which nobody has seen signed, or
the very bytes that may already be on their way: one nonce, one transaction, at most once.
"""

import time
from collections.abc import Callable
from itertools import count

from sqlalchemy import Engine, Table

from nebula.database import reading, writing
from nebula.ledger.client.answers import BlockRef, TransactionReceipt
from nebula.ledger.client.calls import ContractCall
from nebula.ledger.client.failures import RevertedError
from nebula.ledger.client.reverts import revert_reason
from nebula.ledger.client.rpc import LedgerClient
from nebula.ledger.client.wallet import Fees, Wallet
from nebula.ledger.relay.outbox import Outbox, Outcome, Row, Status, enqueue
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import to_hex
from nebula.protocol.secrets import SecretBytes

_IN_ONE_STEP = 300
_POLL_SECONDS = 0.1
_HARMLESS = frozenset(("ledger.known", "ledger.nonce-low"))


class Relay:
    """Carries one key's transactions. Run one per key; several processes may share its database.

    Args:
        engine: the caller's database.
        table: its outbox.
        client: of the ledger's node.
        secret: the key that signs and pays gas. It sends nothing outside this outbox.
        confirmations: how deep a block must be; 1 means that standing in a block is enough.
        chain_id: the chain this relay belongs to; asked from the node if None.
    """

    def __init__(
        self,
        engine: Engine,
        table: Table,
        client: LedgerClient,
        secret: SecretBytes,
        *,
        confirmations: int = 1,
        chain_id: int | None = None,
    ) -> None:
        if confirmations < 1:
            raise RejectedInputError("relay.confirmations", "at least one confirmation is needed")
        self._engine = engine
        self._client = client
        self._wallet = Wallet(secret)
        self._outbox = Outbox(table, self._wallet.address)
        self._confirmations = confirmations
        self._chain_id = chain_id
        self.address = self._wallet.address

    def submit(self, key: str, call: ContractCall) -> None:
        """Decide on an effect, in a transaction of its own. With a caller's transaction use ``enqueue``.

        Raises:
            RejectedInputError: the key stands for another effect.
        """
        with writing(self._engine) as connection:
            enqueue(connection, self._outbox.table, self.address, key, call)

    def outcome(self, key: str) -> Outcome | None:
        """Return how far an effect is, or None for a key nobody asked for."""
        with reading(self._engine) as connection:
            return self._outbox.find(connection, key)

    def open_attempt(self, name: str) -> str:
        """Return the key under which an effect that may be tried several times is under way, or may be asked for.

        For effects that the ledger may refuse, or take without effect, now and take later. Everything else has one
        key, so that it can happen once only.
        """
        for attempt in count():
            key = name if attempt == 0 else f"{name}#{attempt}"
            outcome = self.outcome(key)
            if outcome is None or not outcome.is_final:
                return key
        raise AssertionError  # one was free

    def step(self) -> int:
        """Sign, send and confirm what can be; returns how many effects are not final.

        Raises:
            UnavailableError: the ledger or the database is away. Nothing is lost; call again later.
        """
        with reading(self._engine) as connection:
            if self._outbox.pending(connection) == 0:
                return 0
            waiting = self._outbox.under_way(connection, Status.SIGNED, _IN_ONE_STEP)
        # What was sent before a restart may stand already: look before sending.
        standing = self._settle(waiting)
        self._send([row for row in waiting if row.sequence not in standing])
        fresh = self._sign()
        if fresh:
            self._send(fresh)
            self._settle(fresh)
        with reading(self._engine) as connection:
            return self._outbox.pending(connection)

    def wait(
        self,
        key: str,
        *,
        timeout_seconds: float = 60.0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Outcome:
        """Step until an effect is final, and return it.

        Raises:
            RevertedError: the contract refused; nothing happened on the ledger but the gas.
            UnavailableError: the time is over; the effect stays in the outbox and goes on later.
            RejectedInputError: nobody asked for this key.
        """
        deadline = now() + timeout_seconds
        while True:
            outcome = self.outcome(key)
            if outcome is None:
                raise RejectedInputError("relay.unknown", f"nobody asked the relay for {key}")
            if outcome.status is Status.REVERTED:
                raise RevertedError(outcome.reason or "reverted")
            if outcome.is_final:
                return outcome
            if now() >= deadline:
                raise UnavailableError(
                    "relay.waiting",
                    f"{key} does not stand on the ledger yet: {outcome.reason or 'no block has it'}",
                    hint="nothing is lost; it is sent again until it does",
                )
            before = outcome
            self.step()
            if self.outcome(key) == before:
                sleep(_POLL_SECONDS)

    def _sign(self) -> list[Row]:
        """Give queued rows nonces and signatures, and store them before anything is sent."""
        with reading(self._engine) as connection:
            if not self._outbox.under_way(connection, Status.QUEUED, 1):
                return []
        chain_id = self._client.chain_id() if self._chain_id is None else self._chain_id
        self._chain_id = chain_id
        fees = Fees.over(self._client.head().base_fee_wei, self._client.tip_wei())
        on_ledger = self._client.nonce(self.address)
        signed = []
        with writing(self._engine) as connection:
            self._outbox.lock(connection)
            nonce = self._outbox.next_nonce(connection, on_ledger)
            for row in self._outbox.under_way(connection, Status.QUEUED, _IN_ONE_STEP):
                transaction = self._wallet.sign(
                    row.call.to, row.call.input, chain_id=chain_id, nonce=nonce, gas=row.call.gas, fees=fees
                )
                self._outbox.store_signed(connection, row.sequence, nonce, transaction)
                signed.append(Row(row.sequence, row.call, nonce, transaction.raw, transaction.hash))
                nonce += 1
        return signed

    def _send(self, rows: list[Row]) -> None:
        if not rows:
            return
        outcomes = self._client.send([row.raw for row in rows if row.raw is not None])
        refused = [
            (row, outcome) for row, outcome in zip(rows, outcomes, strict=True) if isinstance(outcome, NebulaError)
        ]
        self._note(refused)
        overtaken = [row for row, error in refused if error.code == "ledger.nonce-low"]
        if overtaken:
            self._release_overtaken(overtaken)

    def _note(self, refused: list[tuple[Row, NebulaError]]) -> None:
        telling = [(row, error) for row, error in refused if error.code not in _HARMLESS]
        if not telling:
            return
        with writing(self._engine) as connection:
            for row, error in telling:
                self._outbox.store_end(connection, row.sequence, {"reason": error.message})

    def _release_overtaken(self, rows: list[Row]) -> None:
        """Queue again what lost its nonce to a transaction from elsewhere that stands deep enough."""
        head = self._client.head()
        deep = head.number - self._confirmations + 1
        if deep < 0:
            return
        spent = self._client.nonce(self.address, deep)
        receipts = self._client.receipts([row.transaction_hash or "" for row in rows])
        lost = [
            row.sequence
            for row, receipt in zip(rows, receipts, strict=True)
            if receipt is None and row.nonce is not None and row.nonce < spent
        ]
        if lost:
            with writing(self._engine) as connection:
                self._outbox.lock(connection)
                self._outbox.unsign(connection, lost)

    def _settle(self, rows: list[Row]) -> set[int]:
        """Note the end of those rows that stand deep enough; returns those that stand in any block."""
        if not rows:
            return set()
        receipts = self._client.receipts([row.transaction_hash or "" for row in rows])
        head = self._client.head()
        standing = {row.sequence for row, receipt in zip(rows, receipts, strict=True) if receipt is not None}
        ends = [
            (row.sequence, self._end(row, receipt))
            for row, receipt in zip(rows, receipts, strict=True)
            if receipt is not None and self._is_deep(receipt, head)
        ]
        if ends:
            with writing(self._engine) as connection:
                for sequence, end in ends:
                    self._outbox.store_end(connection, sequence, end)
        return standing

    def _is_deep(self, receipt: TransactionReceipt, head: BlockRef) -> bool:
        return head.number - receipt.block_number + 1 >= self._confirmations

    def _end(self, row: Row, receipt: TransactionReceipt) -> dict[str, object]:
        return {
            "status": Status.CONFIRMED if receipt.succeeded else Status.REVERTED,
            "block_number": receipt.block_number,
            "block_hash": receipt.block_hash,
            "gas_used": receipt.gas_used,
            "reason": None if receipt.succeeded else self._reason(row, receipt),
        }

    def _reason(self, row: Row, receipt: TransactionReceipt) -> str:
        """Ask why: from the receipt where the node keeps it, else by calling again on the block before."""
        if receipt.revert_data is not None:
            return revert_reason(receipt.revert_data) or "it ran out of gas"
        call = {"from": self.address, "to": row.call.to, "data": to_hex(row.call.input), "gas": hex(row.call.gas)}
        try:
            self._client.request("eth_call", call, hex(receipt.block_number - 1))
        except RevertedError as error:
            return error.reason
        except RejectedInputError as error:
            return error.message
        return "the ledger's state had changed before its turn came"
