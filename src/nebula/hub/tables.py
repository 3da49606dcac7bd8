"""The hub's tables. Nothing in them is secret, and nothing in them is needed to read anyone's data."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

from nebula.database.replay import seen_messages_table
from nebula.ledger.relay import outbox_table

SCHEMA = 3

metadata = MetaData()
seen_messages = seen_messages_table(metadata)
outbox = outbox_table(metadata)

studies = Table(
    "studies",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("study", String(66), nullable=False, unique=True),
    Column("buyer", String(42), nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
    sqlite_strict=True,
)

runs = Table(
    "runs",
    metadata,
    Column("run", String(66), primary_key=True),
    Column("study", String(66), ForeignKey("studies.study"), nullable=False, unique=True),
    Column("state", String(20), nullable=False, index=True),
    Column("detail", Text, nullable=True),
    Column("deadline", BigInteger, nullable=False),
    Column("sealed_result", LargeBinary, nullable=True),
    Column("session", String(42), nullable=True),
    Column("public_run", LargeBinary, nullable=True),
    sqlite_strict=True,
)

candidates = Table(
    "candidates",
    metadata,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("record", String(42), primary_key=True),
    sqlite_strict=True,
)

payouts = Table(
    "payouts",
    metadata,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("session", String(42), primary_key=True),
    Column("payout_index", BigInteger, primary_key=True),
    Column("address", String(42), nullable=False),
    Column("amount_wei", String(39), nullable=False),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("session", String(42), primary_key=True),
    Column("run", String(66), ForeignKey("runs.run"), nullable=False, index=True),
    Column("host", String(42), nullable=False),
    Column("request", LargeBinary, nullable=False),
    sqlite_strict=True,
)

leaves = Table(
    "leaves",
    metadata,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("session", String(42), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("locator", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_strict=True,
)


questions = Table(
    "questions",
    metadata,
    Column("question", String(66), primary_key=True),
    Column("run", String(66), ForeignKey("runs.run"), nullable=False),
    Column("session", String(42), nullable=False),
    Column("sender", String(42), nullable=False),
    Column("asked", BigInteger, nullable=False, index=True),
    Column("letter", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=True),
    Column("error", LargeBinary, nullable=True),
    sqlite_strict=True,
)

answering = Table(
    "answering",
    metadata,
    Column("run", String(66), ForeignKey("runs.run"), primary_key=True),
    Column("session", String(42), nullable=False),
    Column("seen", BigInteger, nullable=False),
    sqlite_strict=True,
)
