"""Re-executing a whole ledger from its genesis: does the file say what the transactions say?"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from nebula.ledger.genesis import parse_genesis
from nebula.ledger.node.blocks import Block
from nebula.ledger.node.chain import GENESIS_KEY
from nebula.ledger.node.headers import Header
from nebula.ledger.node.machine import Machine
from nebula.ledger.node.store import Store
from nebula.ledger.node.transactions import decode_transaction
from nebula.protocol.errors import IntegrityError, NebulaError, RejectedInputError

_MAX_PROBLEMS = 20


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
        blocks: how many blocks were re-executed and agreed, genesis included.
        head: number and hash of the latest block in the file.
        problems: sentences, each naming a block; empty means that everything agrees.
    """

    blocks: int
    transactions: int
    head_number: int
    head_hash: bytes
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether the file says what its transactions say."""
        return not self.problems


def check(path: Path) -> CheckReport:
    """Re-execute every block from genesis in memory and compare it with the file.

    Compared are: the file's own structure; each header (so the state, transaction and receipt roots, gas, bloom and
    link to the parent); every transaction, receipt and log row; and every state node that execution makes.
    The file is only read; a node may be serving it meanwhile.

    Raises:
        RejectedInputError: there is no such file.
        IntegrityError: the file is no ledger at all.
    """
    if not path.is_file():
        raise RejectedInputError("ledger.no-file", f"there is no ledger at {path}")
    store = Store(path, writable=False)
    try:
        with store.snapshot():
            return _Checker(store, path).run()
    except sqlite3.DatabaseError as error:
        raise IntegrityError("ledger.file", f"{path} cannot be read as a ledger: {error}") from error
    finally:
        store.close()


class _Checker:
    def __init__(self, store: Store, path: Path) -> None:
        raw = store.meta(GENESIS_KEY)
        head = store.head()
        if raw is None or head is None:
            raise IntegrityError("ledger.file", f"{path} has no genesis")
        self._store = store
        self._genesis = parse_genesis(raw)
        self._head = head
        self._nodes: dict[bytes, bytes] = {}
        self._hashes: list[bytes] = []
        self._transactions = 0
        self._problems: list[str] = []
        self._machine = Machine(self._genesis.chain_id, self._nodes.__getitem__, self._ancestors)

    def run(self) -> CheckReport:
        self._problems += [f"the file's structure: {line}" for line in self._store.structure_problems()]
        parent = self._accept(self._machine.genesis(self._genesis))
        for number in range(1, self._head.number + 1):
            if parent is None:
                break
            try:
                parent = self._block(number, parent)
            except IntegrityError as error:
                parent = self._stop(number, f"cannot be read: {error}")
        return CheckReport(
            blocks=len(self._hashes),
            transactions=self._transactions,
            head_number=self._head.number,
            head_hash=self._head.hash,
            problems=tuple(self._problems[:_MAX_PROBLEMS]),
        )

    def _block(self, number: int, parent: Header) -> Header | None:
        stored = self._store.header(number)
        if stored is None:
            return self._stop(number, "is missing")
        if stored.timestamp_seconds < parent.timestamp_seconds:
            return self._stop(number, "is older than its parent")
        try:
            decoded = [
                decode_transaction(row.executed.raw, chain_id=self._genesis.chain_id)
                for row in self._store.transactions(number)
            ]
        except NebulaError as error:
            return self._stop(number, f"holds a transaction that cannot stand there: {error}")
        outcome = self._machine.execute(parent, decoded, timestamp_seconds=stored.timestamp_seconds)
        if outcome.block is None or outcome.refused or outcome.taken != len(decoded):
            return self._stop(number, "holds a transaction that execution refuses, or none at all")
        return self._accept(outcome.block)

    def _accept(self, block: Block) -> Header | None:
        number = block.header.number
        stored = self._store.header(number)
        if stored is None or stored != block.header:
            return self._stop(number, "has another header than its transactions give")
        if self._store.ancestors(number)[0] != block.header.hash:
            return self._stop(number, "is filed under another hash")
        rows = self._store.transactions(number)
        if tuple(row.executed for row in rows) != block.transactions:
            return self._stop(number, "has other transaction, receipt or log rows than its transactions give")
        for key, node in block.nodes.items():
            if not self._store.has_node(key, node):
                return self._stop(number, f"lacks the state node 0x{key.hex()}, or it was altered")
        self._nodes.update(block.nodes)
        self._hashes.append(block.header.hash)
        self._transactions += len(block.transactions)
        return block.header

    def _stop(self, number: int, what: str) -> Header | None:
        self._problems.append(f"block {number} {what}")
        return None

    def _ancestors(self, number: int) -> list[bytes]:
        return self._hashes[max(0, number - 255) : number + 1][::-1]
