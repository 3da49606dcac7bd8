"""Open a party's database so that a commit that was acknowledged is never lost.

SQLite: write-ahead log, ``synchronous=FULL``, every writing transaction takes the write lock at its first
statement (``BEGIN IMMEDIATE``), so that two writers wait for each other and never deadlock.
PostgreSQL: serialisable is not needed; the state modules lock the rows they change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError as DuplicateError
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles

from nebula.protocol.errors import RejectedInputError, UnavailableError

BUSY_SECONDS = 30


@compiles(String, "sqlite")
def _text(_type: String, _compiler: Any, **_: Any) -> str:
    """STRICT tables know few types: TEXT, INTEGER, BLOB."""
    return "TEXT"


@compiles(BigInteger, "sqlite")
def _integer(_type: BigInteger, _compiler: Any, **_: Any) -> str:
    """In SQLite every integer has up to 64 bits."""
    return "INTEGER"


_versions = MetaData()
_schema_version = Table(
    "schema_version",
    _versions,
    Column("party", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    sqlite_strict=True,
)


def open_database(url: str, tables: MetaData, *, party: str, version: int = 1) -> Engine:
    """Open (and at the first time create) a party's database.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://…``.
        tables: the party's tables.
        party: whose schema this is; several may share one PostgreSQL database in tests only.
        version: the schema this code was written for.

    Raises:
        RejectedInputError: the database was made by a newer or older version.
        UnavailableError: it cannot be reached or written.
    """
    engine = _make_engine(url)
    try:
        with engine.begin() as connection:
            _versions.create_all(connection)
            tables.create_all(connection)
            _settle_version(connection, party, version)
    except OperationalError as error:
        engine.dispose()
        raise UnavailableError(
            "database.away", f"the {party}'s database cannot be opened: {error.orig}", hint="check its URL and disk"
        ) from error
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; committed at the end, rolled back on any error.

    Raises:
        UnavailableError: the disk is full, or the database is away or busy for too long.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise _unavailable(error) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One connection for reading."""
    try:
        with engine.connect().execution_options(nebula_read_only=True) as connection:
            yield connection
    except OperationalError as error:
        raise _unavailable(error) from error


def insert_or_ignore(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that leaves rows alone that are there already."""
    return insert_into(connection, table).on_conflict_do_nothing()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert of the connection's own dialect, which can say what happens to rows that are there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _unavailable(error: OperationalError) -> UnavailableError:
    return UnavailableError(
        "database.away",
        f"the database did not carry this out: {error.orig}",
        hint="nothing was changed; check the disk's free space, then try again",
    )


def _make_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
        return engine
    if parsed.drivername == "postgresql+psycopg":
        return create_engine(parsed, pool_pre_ping=True)
    raise RejectedInputError(
        "database.url",
        f"databases of kind {parsed.drivername} are not supported",
        hint="use sqlite:///path/to/file or postgresql+psycopg://host/name",
    )


def _prepare_sqlite(connection: SqliteConnection, _record: Any) -> None:
    connection.isolation_level = None  # the begin hook below opens transactions
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("nebula_read_only", False)
    connection.exec_driver_sql("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")


def _settle_version(connection: Connection, party: str, version: int) -> None:
    found = connection.scalar(select(_schema_version.c.version).where(_schema_version.c.party == party))
    if found is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(_schema_version).values(party=party, version=version))
        except DuplicateError:
            return  # another process opened it at the same moment
    elif found != version:
        raise RejectedInputError(
            "database.version",
            f"the {party}'s database has schema {found}; this program needs schema {version}",
            hint="use the program's version that wrote it, or migrate the database first",
        )
