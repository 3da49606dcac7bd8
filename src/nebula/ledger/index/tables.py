"""The index's tables. Amounts are decimal strings: a database's integers are too small for them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

_ADDRESS, _HASH, _AMOUNT = 42, 66, 40


@dataclass(frozen=True)
class IndexTables:
    """All tables of one index."""

    blocks: Table
    events: Table
    records: Table
    studies: Table
    sessions: Table
    claims: Table
    organizations: Table
    measurements: Table
    panels: Table

    @property
    def views(self) -> tuple[Table, ...]:
        """The tables that are folded from events; each has a ``subject`` to fold again."""
        return (
            self.records,
            self.studies,
            self.sessions,
            self.claims,
            self.organizations,
            self.measurements,
            self.panels,
        )


def index_tables(tables: MetaData, prefix: str = "ledger_") -> IndexTables:
    """Add an index to a party's schema."""

    def table(name: str, *columns: Any) -> Table:
        return Table(prefix + name, tables, *columns, sqlite_strict=True)

    return IndexTables(
        # Where the index has stood: the newest row is its head, older ones are looked at after a reorganisation.
        blocks=table(
            "blocks",
            Column("number", BigInteger, primary_key=True, autoincrement=False),
            Column("hash", String(_HASH), nullable=False),
            Column("parent_hash", String(_HASH), nullable=False),
            Column("timestamp_seconds", BigInteger, nullable=False),
        ),
        events=table(
            "events",
            Column("block_number", BigInteger, primary_key=True, autoincrement=False),
            Column("log_index", Integer, primary_key=True, autoincrement=False),
            Column("block_hash", String(_HASH), nullable=False),
            Column("transaction_hash", String(_HASH), nullable=False),
            Column("address", String(_ADDRESS), nullable=False),
            Column("kind", String(40), nullable=False),
            Column("subject", String(_HASH), nullable=False),
            Column("content", Text, nullable=False),
            Index(f"{prefix}events_by_subject", "subject", "block_number", "log_index"),
            Index(f"{prefix}events_by_kind", "kind", "block_number", "log_index"),
        ),
        records=table(
            "records",
            Column("subject", String(_ADDRESS), primary_key=True),
            Column("commitment", LargeBinary),
            Column("version", BigInteger, nullable=False),
            Column("live", Integer, nullable=False),
            Column("changed_block", BigInteger, nullable=False),
            Index(f"{prefix}records_live", "live", "subject"),
        ),
        studies=table(
            "studies",
            Column("subject", String(_HASH), primary_key=True),
            Column("state", Integer, nullable=False, index=True),
            Column("buyer", String(_ADDRESS), nullable=False, index=True),
            Column("operator", String(_ADDRESS), nullable=False),
            Column("terms_digest", String(_HASH), nullable=False),
            Column("measurement", String(_HASH), nullable=False),
            Column("price_wei", String(_AMOUNT), nullable=False),
            Column("fee_wei", String(_AMOUNT), nullable=False),
            Column("max_records", BigInteger, nullable=False),
            Column("deadline", BigInteger, nullable=False),
            Column("funded_block", BigInteger, nullable=False),
            Column("ended_block", BigInteger),
            Column("run", String(_HASH)),
            Column("session", String(_ADDRESS)),
            Column("receipt", String(_HASH)),
            Column("payout_root", String(_HASH)),
            Column("result_digest", String(_HASH)),
            Column("record_count", BigInteger),
            Column("owners_wei", String(_AMOUNT)),
            Column("refund_wei", String(_AMOUNT)),
        ),
        sessions=table(
            "sessions",
            Column("subject", String(_ADDRESS), primary_key=True),
            Column("study", String(_HASH), nullable=False, index=True),
            Column("run", String(_HASH), nullable=False),
            Column("measurement", String(_HASH), nullable=False),
            Column("trust_root", String(_HASH), nullable=False),
            Column("evidence", String(_HASH), nullable=False),
            Column("block_number", BigInteger, nullable=False),
        ),
        claims=table(
            "claims",
            Column("subject", String(_HASH), primary_key=True),
            Column("payout_index", BigInteger, primary_key=True, autoincrement=False),
            Column("owner", String(_ADDRESS)),
            Column("receiver", String(_ADDRESS)),
            Column("amount_wei", String(_AMOUNT), nullable=False),
            Column("block_number", BigInteger, nullable=False),
            Column("transaction_hash", String(_HASH), nullable=False),
        ),
        organizations=table(
            "organizations",
            Column("subject", String(_ADDRESS), primary_key=True),
            Column("roles", Integer, nullable=False),
            Column("standing_until", BigInteger, nullable=False),
            Column("name", String(120), nullable=False),
            Column("suspended", Integer, nullable=False),
            Column("country", String(2)),
        ),
        measurements=table(
            "measurements",
            Column("subject", String(_HASH), primary_key=True),
            Column("trust_root", String(_HASH), primary_key=True),
            Column("approval", Integer, nullable=False),
        ),
        panels=table(
            "panels",
            Column("subject", String(_HASH), primary_key=True),
            Column("publisher", String(_ADDRESS), nullable=False),
            Column("follows", String(_HASH)),
            Column("name", String(64), nullable=False),
            Column("version", String(32), nullable=False),
            Column("block_number", BigInteger, nullable=False),
        ),
    )
