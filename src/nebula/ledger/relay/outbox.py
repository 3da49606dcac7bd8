"""The outbox: one row per effect on the ledger, written in the caller's own transaction.

A row is *queued* when the caller decided on it, *signed* once a nonce and the signed bytes are stored, and
*confirmed* or *reverted* once it stands in a block that is deep enough. The key names the effect: asking for it
again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
    update,
)

from nebula.ledger.client.calls import MAX_TRANSACTION_GAS, ContractCall
from nebula.ledger.client.wallet import SignedTransaction
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32

MAX_KEY_LENGTH = 200
_MAX_REASON_LENGTH = 500


class Status(StrEnum):
    """How far an effect is."""

    QUEUED = "queued"
    SIGNED = "signed"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far one effect is. ``reason``: why the contract refused, or what the node last said."""

    key: str
    status: Status
    transaction_hash: Hash32 | None
    block_number: int | None
    block_hash: Hash32 | None
    gas_used: int | None
    reason: str | None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in (Status.CONFIRMED, Status.REVERTED)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is under way."""

    sequence: int
    call: ContractCall
    nonce: int | None
    raw: bytes | None
    transaction_hash: Hash32 | None


def outbox_table(tables: MetaData, name: str = "ledger_outbox") -> Table:
    """Add an outbox to a party's schema."""
    return Table(
        name,
        tables,
        Column("sequence", Integer, primary_key=True, autoincrement=True),
        Column("key", String(MAX_KEY_LENGTH), nullable=False, unique=True),
        Column("sender", String(42), nullable=False, index=True),
        Column("recipient", String(42), nullable=False),
        Column("input", LargeBinary, nullable=False),
        Column("gas", BigInteger, nullable=False),
        Column("what", String(80), nullable=False),
        Column("status", String(10), nullable=False, index=True),
        Column("nonce", BigInteger),
        Column("raw", LargeBinary),
        Column("transaction_hash", String(66)),
        Column("block_number", BigInteger),
        Column("block_hash", String(66)),
        Column("gas_used", BigInteger),
        Column("reason", String(_MAX_REASON_LENGTH)),
        UniqueConstraint("sender", "nonce"),
        sqlite_strict=True,
    )


def enqueue(connection: Connection, table: Table, sender: Address, key: str, call: ContractCall) -> None:
    """Decide on an effect, within the caller's own transaction. The same key and call again change nothing.

    Raises:
        RejectedInputError: the key stands for another effect, or the call asks for too much gas.
    """
    if not 0 < call.gas <= MAX_TRANSACTION_GAS or not 0 < len(key) <= MAX_KEY_LENGTH:
        raise RejectedInputError("relay.call", f"{call.what} asks for {call.gas:,} gas, or its key is too long")
    effect = {"sender": sender, "recipient": call.to, "input": call.input}
    found = connection.execute(select(table).where(table.c.key == key)).mappings().one_or_none()
    if found is None:
        row = effect | {"key": key, "gas": call.gas, "what": call.what, "status": Status.QUEUED}
        connection.execute(insert(table).values(row))
    elif any(found[column] != value for column, value in effect.items()):
        raise RejectedInputError("relay.key-reused", f"{key} already stands for another effect on the ledger")


def outcome_of(row: Any) -> Outcome:
    """Return how far a row is."""
    return Outcome(
        key=row["key"],
        status=Status(row["status"]),
        transaction_hash=row["transaction_hash"],
        block_number=row["block_number"],
        block_hash=row["block_hash"],
        gas_used=row["gas_used"],
        reason=row["reason"],
    )


class Outbox:
    """One sender's rows."""

    def __init__(self, table: Table, sender: Address) -> None:
        self.table = table
        self._sender = sender

    def lock(self, connection: Connection) -> None:
        """Keep other processes of this sender out until the transaction ends; SQLite's write lock already does."""
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": self._sender})

    def find(self, connection: Connection, key: str) -> Outcome | None:
        """Return how far an effect is, or None for a key nobody asked for."""
        row = connection.execute(select(self.table).where(self.table.c.key == key)).mappings().one_or_none()
        return None if row is None else outcome_of(row)

    def under_way(self, connection: Connection, status: Status, limit: int) -> list[Row]:
        """Return the oldest rows of a status, in the order in which they must reach the ledger."""
        table = self.table
        order = table.c.nonce if status is Status.SIGNED else table.c.sequence
        rows = connection.execute(
            select(table).where(table.c.sender == self._sender, table.c.status == status).order_by(order).limit(limit)
        ).mappings()
        return [_row(row) for row in rows]

    def pending(self, connection: Connection) -> int:
        """Return how many effects are not final."""
        table = self.table
        open_ = (Status.QUEUED, Status.SIGNED)
        return int(
            connection.scalar(select(func.count()).where(table.c.sender == self._sender, table.c.status.in_(open_)))
            or 0
        )

    def next_nonce(self, connection: Connection, on_ledger: int) -> int:
        """Return the nonce for the next transaction: beyond all that was signed, and all that stands on the ledger."""
        highest = connection.scalar(select(func.max(self.table.c.nonce)).where(self.table.c.sender == self._sender))
        return on_ledger if highest is None else max(on_ledger, int(highest) + 1)

    def store_signed(self, connection: Connection, sequence: int, nonce: int, signed: SignedTransaction) -> None:
        """Store a transaction before it is sent anywhere."""
        self._update(
            connection,
            sequence,
            {"status": Status.SIGNED, "nonce": nonce, "raw": signed.raw, "transaction_hash": signed.hash},
        )

    def store_end(self, connection: Connection, sequence: int, end: dict[str, Any]) -> None:
        """Store how an effect ended."""
        if end.get("reason") is not None:
            end["reason"] = end["reason"][:_MAX_REASON_LENGTH]
        self._update(connection, sequence, end)

    def unsign(self, connection: Connection, sequences: Sequence[int]) -> None:
        """Forget signatures whose nonces went to other transactions; they can never stand on the ledger any more."""
        for sequence in sequences:
            self._update(
                connection, sequence, {"status": Status.QUEUED, "nonce": None, "raw": None, "transaction_hash": None}
            )

    def _update(self, connection: Connection, sequence: int, values: dict[str, Any]) -> None:
        connection.execute(update(self.table).where(self.table.c.sequence == sequence).values(values))


def _row(row: Any) -> Row:
    call = ContractCall(row["recipient"], row["input"], row["gas"], row["what"])
    return Row(row["sequence"], call, row["nonce"], row["raw"], row["transaction_hash"])
