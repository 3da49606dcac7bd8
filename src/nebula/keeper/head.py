"""The log's head, signed, for anyone to keep: a keeper cannot rewrite what it has decided without contradicting itself.

It goes to every owner who asks for decisions, whose vault compares it with the last one, and to anyone at
``GET /v1/log-head``. An auditor whom the keeper shows its database holds it against all heads that others kept
(``nebula keeper check``).
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from litestar import MediaType, Response, get
from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError

from nebula.database import open_database, reading
from nebula.keeper import log, tables
from nebula.keeper.context import Keeper
from nebula.keeper.log import Head
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import Address, to_bytes, to_hex
from nebula.protocol.messages import LogHead
from nebula.protocol.signed_by_control_key import UNSIGNED, check_document, sign_document
from nebula.protocol.wire import parser, to_canonical

_parse_head = parser(LogHead)


def signed_head(keeper: Keeper) -> LogHead:
    """Return the head of this keeper's log as it is now."""
    with reading(keeper.engine) as connection:
        head = log.read_head(connection)
    unsigned = LogHead(keeper=keeper.address, sequence=head.sequence, hash=to_hex(head.hash), signature=UNSIGNED)
    return sign_document(unsigned, keeper.signing_key)


def head_routes(keeper: Keeper) -> list[Any]:
    """Return the route handler."""

    @get("/v1/log-head", sync_to_thread=True, summary="The signed head of this keeper's decision log")
    def log_head() -> Response[bytes]:
        return Response(to_canonical(signed_head(keeper)), media_type=MediaType.JSON)

    return [log_head]


def parse_heads(lines: Iterable[bytes]) -> tuple[LogHead, ...]:
    """Return heads that were kept, one a line, after checking that each is signed by its keeper, the same for all.

    Raises:
        RejectedInputError: a line is no head.
        IntegrityError: one is not signed by the keeper that it names, or they are of several.
    """
    heads = [_parse_head(line) for line in lines if line.strip()]
    for head in heads:
        check_document(head, head.keeper)
    keepers: set[Address] = {head.keeper for head in heads}
    if len(keepers) > 1:
        raise IntegrityError("keeper.heads", f"these are heads of {len(keepers)} keepers' logs; check one at a time")
    return tuple(heads)


def check_log(database_url: str, heads: Sequence[LogHead] = ()) -> int:
    """Return how many entries a keeper's log has, after re-computing all of it.

    Raises:
        IntegrityError: it is broken, or not the log that these heads are of.
        RejectedInputError: ``keeper.database``; this names no database, or no keeper's log is there.
        UnavailableError: the database cannot be reached.
    """
    url = _parsed(database_url)
    if url.get_backend_name() == "sqlite":
        _require_log(Path(url.database or ""))
    engine = open_database(database_url, tables.metadata, party="keeper", version=tables.SCHEMA)
    try:
        with reading(engine) as connection:
            if connection.scalar(select(tables.log_head.c.one)) is None:
                raise RejectedInputError("keeper.database", "this database has never been a keeper's")
            known = [Head(head.sequence, to_bytes(head.hash)) for head in heads]
            return log.verify_log(connection, heads=known)
    finally:
        engine.dispose()


def _parsed(database_url: str) -> URL:
    try:
        return make_url(database_url)
    except ArgumentError:  # its message has the text, which may have a password in it
        raise RejectedInputError(
            "keeper.database",
            "the database is named by a URL, and this is none",
            hint="sqlite:///FILE (sqlite:////FILE for an absolute path) or postgresql+psycopg://HOST/NAME",
        ) from None


def _require_log(file: Path) -> None:
    """Refuse a file that holds no log before it is opened as a keeper's, which would make tables in it."""
    if not file.is_file():
        raise RejectedInputError("keeper.database", f"there is no database {file}")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.DatabaseError as error:
        raise RejectedInputError("keeper.database", f"{file} cannot be read as a database: {error}") from error
    if tables.log_head.name not in found:
        raise RejectedInputError("keeper.database", f"{file} has never been a keeper's database")
