"""The vault's tables: which records it has, and how far each has come.

No key stands here: keys come from the seed, data keys from the headers of the parts. ``mailbox`` and
``label`` would tell which payout and which sample are whose, so the file stays on the owner's machine.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table

from nebula.ledger.relay import outbox_table

metadata = MetaData()
outbox = outbox_table(metadata)

records = Table(
    "records",
    metadata,
    Column("record", String(42), primary_key=True),
    Column("donor", BigInteger, nullable=True, unique=True),
    Column("key_index", Integer, nullable=False),
    Column("label", String(200), nullable=False, index=True),
    Column("stage", String(20), nullable=False, index=True),
    Column("version", BigInteger, nullable=False),
    Column("manifest_location", String(1000), nullable=False),
    Column("manifest_commitment", String(66), nullable=False),
    Column("mailbox", LargeBinary(32), nullable=False),
    Column("policy", LargeBinary, nullable=False),
    sqlite_strict=True,
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("record", String(42), ForeignKey("records.record"), primary_key=True),
    Column("keeper", String(42), primary_key=True),
    Column("accepted", Integer, nullable=False, default=0),
    Column("message", LargeBinary, nullable=False),
    sqlite_strict=True,
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("keeper", String(42), primary_key=True),
    Column("head", LargeBinary, nullable=False),
    sqlite_strict=True,
)
