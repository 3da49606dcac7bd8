"""The chain: what was committed, and how a block is added to it.

The order that makes a crash harmless: (1) transactions are decoded and checked; (2) they are executed on
the latest committed state, in memory; (3) the block is committed to the file with everything in it; (4) only
then does the sender get an answer. A process killed before (3) has changed nothing, one killed after it
loses at most the answer, and the same bytes sent again are refused as already known.
"""

import fcntl
import functools
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from nebula.ledger.genesis import Genesis, parse_genesis
from nebula.ledger.node.machine import Machine
from nebula.ledger.node.store import Store
from nebula.ledger.node.transactions import decode_transaction
from nebula.protocol.errors import IntegrityError, NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.signing import keccak256
from nebula.protocol.wire import to_canonical

_CACHED_NODES = 1 << 17
GENESIS_KEY = "genesis"


class Reader:
    """A view of the chain over its own connection: for everything that changes nothing."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path, writable=False)
        raw = self.store.meta(GENESIS_KEY)
        if raw is None:
            raise IntegrityError("ledger.file", f"{path} has no genesis")
        self.genesis = parse_genesis(raw)
        self.machine = _machine(self.store, self.genesis)


class Chain:
    """The one writer. Holds the file's lock for as long as it lives."""

    def __init__(self, path: Path, genesis: Genesis, clock: Callable[[], datetime]) -> None:
        """Open the chain, or begin one.

        Raises:
            UnavailableError: another node has the file open.
            RejectedInputError: the file began with another genesis.
        """
        self._lock = _lock(path)
        self._clock = clock
        self._store = Store(path, writable=True)
        self._machine = _machine(self._store, genesis)
        self._chain_id = genesis.chain_id
        self._begin(path, genesis)

    def close(self) -> None:
        """Close the file and let go of its lock."""
        self._store.close()
        self._lock.close()

    def submit(self, raw_transactions: Sequence[bytes]) -> list[bytes | NebulaError]:
        """Put transactions into one block (several, if they exceed its gas) and return their hashes.

        Each position has the transaction's hash once it stands on the disk, or the error that refused it.
        """
        answers: list[bytes | NebulaError] = [self._already_known(raw) for raw in raw_transactions]
        waiting = []
        for position, raw in enumerate(raw_transactions):
            if isinstance(answers[position], NebulaError):
                continue
            try:
                waiting.append((position, decode_transaction(raw, chain_id=self._chain_id)))
            except RejectedInputError as error:
                answers[position] = error
        while waiting:
            parent = self._store.head()
            assert parent is not None  # noqa: S101  # _begin wrote block 0
            outcome = self._machine.execute(
                parent, [transaction for _, transaction in waiting], timestamp_seconds=self.now()
            )
            for place, refusal in outcome.refused.items():
                answers[waiting[place][0]] = refusal
            if outcome.block is not None:
                try:
                    self._store.append(outcome.block)
                except UnavailableError as error:
                    for position, _ in waiting:
                        answers[position] = error
                    break
            waiting = waiting[outcome.taken :]
        return answers

    def now(self) -> int:
        """Return the clock's Unix second."""
        return int(self._clock().timestamp())

    def _already_known(self, raw: bytes) -> bytes | NebulaError:
        transaction_hash = keccak256(raw)
        if self._store.transaction(transaction_hash) is not None:
            return RejectedInputError("ledger.known", "already known: this transaction stands on the ledger")
        return transaction_hash

    def _begin(self, path: Path, genesis: Genesis) -> None:
        wanted = to_canonical(genesis)
        found = self._store.meta(GENESIS_KEY)
        if found is None:
            self._store.append(self._machine.genesis(genesis), meta={GENESIS_KEY: wanted})
        elif found != wanted:
            raise RejectedInputError(
                "ledger.genesis", f"{path} began with another genesis", hint="use the genesis it was made with"
            )


def _machine(store: Store, genesis: Genesis) -> Machine:
    return Machine(genesis.chain_id, functools.lru_cache(maxsize=_CACHED_NODES)(store.node), store.ancestors)


def _lock(path: Path) -> IO[bytes]:
    lock = path.with_name(path.name + ".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise UnavailableError("ledger.locked", f"another ledger node has {path} open") from error
    return lock
