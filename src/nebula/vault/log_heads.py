"""The heads of keepers' logs: one that gets shorter, or has another end at the same place, was rewritten."""

from sqlalchemy import Connection, Engine, delete, insert, select

from nebula.database import writing
from nebula.protocol.ids import Address
from nebula.protocol.messages import LogHead
from nebula.protocol.signed_by_control_key import check_document
from nebula.protocol.wire import parser, to_canonical
from nebula.vault.tables import log_heads

_parse_head = parser(LogHead)


def compare_head(engine: Engine, keeper: Address, head: LogHead) -> LogHead | None:
    """Keep a keeper's head; or return the one kept before, if both cannot be of one log.

    Two heads of one keeper that contradict each other, both signed by it, are the proof: the earlier one stays.

    Raises:
        IntegrityError: the keeper did not sign it.
    """
    check_document(head, keeper)
    with writing(engine) as connection:
        earlier = _kept(connection, keeper)
        if earlier is not None and not _follows(earlier, head):
            return earlier
        connection.execute(delete(log_heads).where(log_heads.c.keeper == keeper))
        connection.execute(insert(log_heads).values(keeper=keeper, head=to_canonical(head)))
    return None


def _kept(connection: Connection, keeper: Address) -> LogHead | None:
    raw = connection.scalar(select(log_heads.c.head).where(log_heads.c.keeper == keeper))
    return None if raw is None else _parse_head(raw)


def _follows(earlier: LogHead, later: LogHead) -> bool:
    return later.sequence > earlier.sequence or (later.sequence, later.hash) == (earlier.sequence, earlier.hash)
