"""A keeper's tables. What is in them, their owners or sessions signed, or the keeper decided."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

from nebula.database.replay import seen_messages_table

SCHEMA = 3
ADDRESS, HASH, DIGEST_BYTES, COMMITMENT_BYTES = 42, 66, 32, 26

metadata = MetaData()
seen_messages = seen_messages_table(metadata)

enrolments = Table(
    "enrolments",
    metadata,
    Column("record", String(ADDRESS), primary_key=True),
    Column("manifest_commitment", String(HASH), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("manifest_location", String(1000), nullable=False),
    Column("sealed_shares", LargeBinary, nullable=False),
    Column("keepers", Integer, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("parts", String, nullable=False),
    sqlite_strict=True,
)

policies = Table(
    "policies",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("record", String(ADDRESS), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("record_commitment", LargeBinary(COMMITMENT_BYTES), nullable=False),
    Column("manifest_commitment", String(HASH), nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("record", "version", "record_commitment"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

approvals = Table(
    "approvals",
    metadata,
    Column("record", String(ADDRESS), primary_key=True),
    Column("study", String(HASH), primary_key=True, index=True),
    sqlite_strict=True,
)

studies = Table(
    "studies",
    metadata,
    Column("study", String(HASH), primary_key=True),
    Column("deadline", BigInteger, nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
    sqlite_strict=True,
)

nonces = Table(
    "nonces",
    metadata,
    Column("study", String(HASH), primary_key=True),
    Column("run", String(HASH), primary_key=True),
    Column("session", String(ADDRESS), primary_key=True),
    Column("nonce", LargeBinary(DIGEST_BYTES), nullable=False),
    Column("issued", BigInteger, nullable=False, index=True),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("session", String(ADDRESS), primary_key=True),
    Column("evidence", LargeBinary, nullable=False),
    Column("collateral", LargeBinary, nullable=False),
    Column("vote", LargeBinary, nullable=False),
    Column("simulated", Integer, nullable=False),
    sqlite_strict=True,
)

cohorts = Table(
    "cohorts",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("session", String(ADDRESS), nullable=False),
    Column("piece", Integer, nullable=False),
    Column("buyer", String(ADDRESS), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("sealed_share", LargeBinary, nullable=False),
    UniqueConstraint("session", "piece"),
    Index("cohorts_by_buyer", "buyer", "sequence"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

budgets = Table(
    "budgets",
    metadata,
    Column("record", String(ADDRESS), primary_key=True),
    Column("spent_micro_rho", BigInteger, nullable=False),
    sqlite_strict=True,
)

uses = Table(
    "uses",
    metadata,
    Column("record", String(ADDRESS), primary_key=True),
    Column("run", String(HASH), primary_key=True, index=True),
    Column("micro_rho", BigInteger, nullable=False),
    sqlite_strict=True,
)

draws = Table(
    "draws",
    metadata,
    Column("record", String(ADDRESS), primary_key=True),
    Column("run", String(HASH), primary_key=True, index=True),
    Column("session", String(ADDRESS), primary_key=True),
    sqlite_strict=True,
)

tellings = Table(
    "tellings",
    metadata,
    Column("run", String(HASH), primary_key=True),
    Column("session", String(ADDRESS), primary_key=True),
    Column("draw", String(HASH), primary_key=True),
    Column("buyer", String(ADDRESS), primary_key=True),
    Column("micro_rho", BigInteger, nullable=False),
    sqlite_strict=True,
)

decisions = Table(
    "decisions",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("record", String(ADDRESS), nullable=False),
    Column("session", String(ADDRESS), nullable=False),
    Column("hash", LargeBinary(DIGEST_BYTES), nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Index("decisions_by_record", "record", "sequence"),
    Index("decisions_by_session", "session", "record", "sequence"),
    sqlite_strict=True,
)

log_head = Table(
    "log_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary(DIGEST_BYTES), nullable=False),
    sqlite_strict=True,
)
