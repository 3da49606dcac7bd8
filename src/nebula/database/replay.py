"""Remember which messages were seen, for as long as their time stamp would still be accepted."""

from sqlalchemy import BigInteger, Column, Engine, LargeBinary, MetaData, String, Table, delete, insert
from sqlalchemy.exc import IntegrityError as DuplicateError

from nebula.database.engine import writing
from nebula.protocol.envelope import CLOCK_SKEW_SECONDS, VerifiedMessage
from nebula.protocol.errors import NotPermittedError


def seen_messages_table(tables: MetaData) -> Table:
    """Add the table of seen messages to a party's schema."""
    return Table(
        "seen_messages",
        tables,
        Column("sender", String(42), primary_key=True),
        Column("nonce", LargeBinary(16), primary_key=True),
        Column("sent", BigInteger, nullable=False, index=True),
        sqlite_strict=True,
    )


class ReplayGuard:
    """Lets each message through once, across restarts."""

    def __init__(self, engine: Engine, table: Table) -> None:
        self._engine = engine
        self._table = table

    def admit(self, message: VerifiedMessage) -> None:
        """Note a message, or refuse it.

        Raises:
            NotPermittedError: it was seen before.
        """
        table = self._table
        try:
            with writing(self._engine) as connection:
                # Older ones fail the time check before they come here.
                connection.execute(delete(table).where(table.c.sent < message.sent - 4 * CLOCK_SKEW_SECONDS))
                connection.execute(insert(table).values(sender=message.sender, nonce=message.nonce, sent=message.sent))
        except DuplicateError as error:
            raise NotPermittedError("message.replayed", "this message was already received once") from error
