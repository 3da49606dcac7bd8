"""The node's SQLite file. One block is one transaction: all of it is there, or none of it.

WAL with ``synchronous=FULL``: a commit that returned is on the disk, whatever is killed afterwards.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from nebula.ledger.node.blocks import Block, Executed, Log
from nebula.ledger.node.headers import Header, decode_header
from nebula.protocol.errors import IntegrityError, UnavailableError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (hash BLOB PRIMARY KEY, node BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS transactions (
    block INTEGER NOT NULL REFERENCES blocks, position INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE,
    raw BLOB NOT NULL, sender BLOB NOT NULL, recipient BLOB NOT NULL, contract BLOB,
    succeeded INTEGER NOT NULL, gas_used INTEGER NOT NULL, cumulative_gas_used INTEGER NOT NULL,
    effective_gas_price BLOB NOT NULL, output BLOB NOT NULL, first_log INTEGER NOT NULL,
    PRIMARY KEY (block, position)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (
    block INTEGER NOT NULL, log_index INTEGER NOT NULL, position INTEGER NOT NULL, address BLOB NOT NULL,
    topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, body BLOB NOT NULL,
    PRIMARY KEY (block, log_index)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS logs_by_address ON logs (address, topic0, block);
CREATE INDEX IF NOT EXISTS logs_by_topic ON logs (topic0, block);
"""
_TOPICS = 4
_BUSY_SECONDS = 10.0
_IN_ONE_QUERY = 500


class StoredTransaction(NamedTuple):
    """A transaction with its place in the chain."""

    block: int
    position: int
    first_log: int
    executed: Executed


class StoredLog(NamedTuple):
    """An event with its place in the chain."""

    block: int
    log_index: int
    position: int
    log: Log


class Hashes(NamedTuple):
    """Hashes of blocks by number, and of transactions by block and position."""

    blocks: dict[int, bytes]
    transactions: dict[tuple[int, int], bytes]


class LogQuery(NamedTuple):
    """Which logs: a block range (inclusive), any of some addresses, and per position any of some topics."""

    first: int
    last: int
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]


class Store:
    """One connection to the file. Use each from one thread at a time."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        mode = "rwc" if writable else "ro"
        try:
            self._db = sqlite3.connect(
                f"file:{path}?mode={mode}",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            if writable:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)
            self._db.execute("SELECT count(*) FROM meta").fetchone()
        except sqlite3.DatabaseError as error:
            raise IntegrityError("ledger.file", f"{path} cannot be read as a ledger: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one consistent state of the file, whatever is committed meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def meta(self, key: str) -> bytes | None:
        """Return a setting that was written with the genesis block."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def append(self, block: Block, *, meta: dict[str, bytes] | None = None) -> None:
        """Write a block with everything in it, durably.

        Raises:
            UnavailableError: the disk is full or failing; nothing of the block was written.
        """
        number = block.header.number
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT INTO meta VALUES (?, ?)", (meta or {}).items())
                self._db.executemany("INSERT OR IGNORE INTO state VALUES (?, ?)", block.nodes.items())
                self._db.execute("INSERT INTO blocks VALUES (?, ?, ?)", (number, block.header.hash, block.header.raw))
                self._append_transactions(number, block.transactions)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise UnavailableError(
                "ledger.storage", f"block {number} could not be written: {error}", hint="free disk space, then retry"
            ) from error

    def _append_transactions(self, number: int, transactions: tuple[Executed, ...]) -> None:
        rows: list[tuple[object, ...]] = []
        logs: list[tuple[object, ...]] = []
        for position, tx in enumerate(transactions):
            price = tx.effective_gas_price.to_bytes(32, "big")
            spent = (tx.gas_used, tx.cumulative_gas_used, price)
            parties = (tx.hash, tx.raw, tx.sender, tx.to, tx.contract)
            rows.append((number, position, *parties, int(tx.succeeded), *spent, tx.output, len(logs)))
            for log in tx.logs:
                topics = log.topics + (None,) * (_TOPICS - len(log.topics))
                logs.append((number, len(logs), position, log.address, *topics, log.data))
        self._db.executemany(f"INSERT INTO transactions VALUES ({','.join('?' * 13)})", rows)  # noqa: S608  # constant
        self._db.executemany("INSERT INTO logs VALUES (?,?,?,?,?,?,?,?,?)", logs)

    def node(self, key: bytes) -> bytes:
        """Return a trie node or code by its hash.

        Raises:
            KeyError: there is none.
        """
        row = self._db.execute("SELECT node FROM state WHERE hash = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def has_node(self, key: bytes, node: bytes) -> bool:
        """Whether exactly this node is stored under this hash."""
        try:
            return self.node(key) == node
        except KeyError:
            return False

    def structure_problems(self) -> list[str]:
        """Return what SQLite's own check finds wrong with the file; empty when nothing is."""
        found = [str(row[0]) for row in self._db.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    def head(self) -> Header | None:
        """Return the latest block's header, or None for a file without a chain."""
        row = self._db.execute("SELECT header FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else decode_header(row[0])

    def header(self, number: int) -> Header | None:
        """Return a block's header by number."""
        row = self._db.execute("SELECT header FROM blocks WHERE number = ?", (number,)).fetchone()
        return None if row is None else decode_header(row[0])

    def header_by_hash(self, block_hash: bytes) -> Header | None:
        """Return a block's header by hash."""
        row = self._db.execute("SELECT header FROM blocks WHERE hash = ?", (block_hash,)).fetchone()
        return None if row is None else decode_header(row[0])

    def ancestors(self, number: int) -> list[bytes]:
        """Return up to 256 block hashes from ``number`` downwards."""
        rows = self._db.execute("SELECT hash FROM blocks WHERE number <= ? ORDER BY number DESC LIMIT 256", (number,))
        return [bytes(row[0]) for row in rows]

    def transaction(self, transaction_hash: bytes) -> StoredTransaction | None:
        """Return a transaction by its hash."""
        row = self._db.execute("SELECT * FROM transactions WHERE hash = ?", (transaction_hash,)).fetchone()
        return None if row is None else self._transaction(row)

    def transactions(self, block: int) -> list[StoredTransaction]:
        """Return a block's transactions in order."""
        rows = self._db.execute("SELECT * FROM transactions WHERE block = ? ORDER BY position", (block,))
        return [self._transaction(row) for row in rows.fetchall()]

    def _transaction(self, row: Any) -> StoredTransaction:
        block, position, hash_, raw, sender, to, contract, succeeded, gas, cumulative, price, output, first = row
        found = self._db.execute(
            "SELECT block, log_index, position, address, topic0, topic1, topic2, topic3, body FROM logs"
            " WHERE block = ? AND position = ? ORDER BY log_index",
            (block, position),
        )
        executed = Executed(
            hash=hash_,
            raw=raw,
            sender=sender,
            to=to,
            contract=contract,
            succeeded=bool(succeeded),
            gas_used=gas,
            cumulative_gas_used=cumulative,
            effective_gas_price=int.from_bytes(price, "big"),
            output=output,
            logs=tuple(_log(found_row).log for found_row in found),
        )
        return StoredTransaction(block, position, first, executed)

    def logs(self, query: LogQuery, *, limit: int) -> list[StoredLog]:
        """Return matching logs in chain order, at most ``limit``."""
        clauses = ["block BETWEEN ? AND ?"]
        values: list[object] = [query.first, query.last]
        filters = [("address", query.addresses)]
        filters += [(f"topic{place}", wanted) for place, wanted in enumerate(query.topics)]
        for column, wanted in filters:
            if wanted:
                clauses.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values.extend(wanted)
        sql = (
            "SELECT block, log_index, position, address, topic0, topic1, topic2, topic3, body FROM logs"  # noqa: S608
            f" WHERE {' AND '.join(clauses)} ORDER BY block, log_index LIMIT ?"
        )
        return [_log(row) for row in self._db.execute(sql, (*values, limit))]

    def hashes(self, places: set[tuple[int, int]]) -> Hashes:
        """Return the hashes of the blocks and transactions at these places."""
        numbers = sorted({number for number, _ in places})
        blocks: dict[int, bytes] = {}
        transactions: dict[tuple[int, int], bytes] = {}
        for at in range(0, len(numbers), _IN_ONE_QUERY):
            page = numbers[at : at + _IN_ONE_QUERY]
            marks = ",".join("?" * len(page))
            blocks |= dict(self._db.execute(f"SELECT number, hash FROM blocks WHERE number IN ({marks})", page))  # noqa: S608
            sql = f"SELECT block, position, hash FROM transactions WHERE block IN ({marks})"  # noqa: S608
            transactions |= {(block, position): found for block, position, found in self._db.execute(sql, page)}
        return Hashes(blocks, transactions)


def _log(row: Any) -> StoredLog:
    block, log_index, position, address, *topics, body = row
    present = tuple(topic for topic in topics if topic is not None)
    return StoredLog(block, log_index, position, Log(address, present, body))
