"""Step 6: a nonce for one starting session; its quote must contain it.

32 random bytes, for one (study, run, session); the session is the envelope's sender, so nobody can use, or use up,
another's. Given for a funded study only. It expires after ten minutes and is spent by the vote that it leads to;
asking again before that gives a fresh one in its place.
"""

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from nebula.database import writing
from nebula.keeper.context import Keeper
from nebula.keeper.standing import check_funded, newest_block
from nebula.keeper.tables import nonces, sessions
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import NonceAnswer, NonceRequest

LIFETIME_SECONDS = 600


def issue_nonce(keeper: Keeper, request: NonceRequest, session: Address) -> NonceAnswer:
    """Give a starting session its nonce.

    Raises:
        NotPermittedError: ``study.not-open``, or ``nonce.spent``: this keeper has voted for the session already.
    """
    at = keeper.clock()
    block = newest_block(keeper, at)
    check_funded(keeper, request.study, block)
    nonce = secrets.token_bytes(32)
    with writing(keeper.engine) as connection:
        _delete_expired(connection, at)
        if connection.scalar(select(sessions.c.session).where(sessions.c.session == session)) is not None:
            raise NotPermittedError("nonce.spent", "this session was appraised already; a restart makes a new session")
        connection.execute(delete(nonces).where(_of(request.study, request.run, session)))
        connection.execute(
            insert(nonces).values(
                study=request.study, run=request.run, session=session, nonce=nonce, issued=int(at.timestamp())
            )
        )
    return NonceAnswer(nonce=nonce, key=keeper.sealing_key.public_key, block_number=block.number, block_hash=block.hash)


def find_nonce(connection: Connection, *, study: Hash32, run: Hash32, session: Address, at: datetime) -> bytes:
    """Return the nonce of a session.

    Raises:
        NotPermittedError: ``nonce.none``; it never had one for this study and run, or it is spent or has expired.
    """
    fresh = nonces.c.issued >= int(at.timestamp()) - LIFETIME_SECONDS
    nonce = connection.scalar(select(nonces.c.nonce).where(_of(study, run, session), fresh))
    if nonce is None:
        raise NotPermittedError(
            "nonce.none",
            "this keeper has no fresh nonce for this session, study and run",
            hint="the worker starts a new session",
        )
    return bytes(nonce)


def spend_nonce(connection: Connection, *, study: Hash32, run: Hash32, session: Address, nonce: bytes) -> None:
    """Spend a nonce, in the transaction that keeps the vote.

    Raises:
        NotPermittedError: ``nonce.none``; it was spent or replaced in the meantime.
    """
    this = _of(study, run, session) & (nonces.c.nonce == nonce)
    if connection.execute(delete(nonces).where(this)).rowcount != 1:
        raise NotPermittedError("nonce.none", "the session's nonce was spent in the meantime")


def _delete_expired(connection: Connection, at: datetime) -> None:
    connection.execute(delete(nonces).where(nonces.c.issued < int(at.timestamp()) - LIFETIME_SECONDS))


def _of(study: Hash32, run: Hash32, session: Address) -> ColumnElement[bool]:
    return (nonces.c.study == study) & (nonces.c.run == run) & (nonces.c.session == session)
