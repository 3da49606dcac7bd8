"""The sessions that this keeper voted for, and whether the ledger registered them.

A session is believed when, in this order: (1) it is the envelope's sender and I appraised it myself; (2) I did so
for this very study and run; (3) enough keepers' votes stand on the ledger, for exactly this, deep enough.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from nebula.attestation.collateral import Collateral, parse_collateral
from nebula.database import reading
from nebula.keeper.context import Keeper
from nebula.keeper.ledger_view import Block
from nebula.keeper.standing import deep_blocks
from nebula.keeper.tables import sessions
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.receipt import Evidence, KeeperVote, parse_evidence
from nebula.protocol.session_vote import session_vote
from nebula.protocol.wire import to_canonical


@dataclass(frozen=True, slots=True)
class Session:
    """A session that this keeper said yes to."""

    evidence: Evidence
    collateral: Collateral
    vote: KeeperVote
    simulated: bool


def keep(connection: Connection, session: Session) -> None:
    """Keep a session, in the transaction that spends its nonce."""
    row = {
        "session": session.evidence.session,
        "evidence": to_canonical(session.evidence),
        "collateral": session.collateral.to_bytes(),
        "vote": session.vote.signature,
        "simulated": int(session.simulated),
    }
    connection.execute(insert(sessions).values(row))


def find(connection: Connection, keeper: Address, session: Address) -> Session | None:
    """Return a session that this keeper voted for, or None."""
    row = connection.execute(select(sessions).where(sessions.c.session == session)).one_or_none()
    if row is None:
        return None
    vote = KeeperVote(keeper=keeper, signature=row.vote)
    return Session(parse_evidence(row.evidence), parse_collateral(row.collateral), vote, bool(row.simulated))


def require(keeper: Keeper, sender: Address, *, study: Hash32, run: Hash32) -> Session:
    """Return the sender's session, checked up to (2).

    Raises:
        NotPermittedError: ``session.unknown`` or ``session.purpose``.
    """
    with reading(keeper.engine) as connection:
        session = find(connection, keeper.address, sender)
    if session is None:
        raise NotPermittedError("session.unknown", f"this keeper has appraised no session {sender}")
    if (study_id(session.evidence.study), session.evidence.run) != (study, run):
        raise NotPermittedError("session.purpose", "this session was appraised for another study or run")
    return session


def check_registered(keeper: Keeper, session: Session, newest: Block) -> None:
    """Check (3).

    Raises:
        NotPermittedError: ``session.not-approved``: its code may not run any more.
        UnavailableError: ``session.not-registered``; my node may see the registration a moment later than others.
    """
    vote, simulated = session_vote(session.evidence), session.simulated
    if not keeper.ledger.approves(vote.measurement, vote.trust_root, simulated=simulated, at=newest):
        raise NotPermittedError("session.not-approved", "the session's code is no longer approved on the ledger")
    blocks = deep_blocks(keeper, newest)
    if not all(keeper.ledger.vouches_for(vote, simulated=simulated, at=block) for block in blocks):
        raise UnavailableError(
            "session.not-registered",
            "the session is not registered on this keeper's ledger (yet)",
            hint="the host hands the keepers' votes to the hub and waits until they stand on the ledger",
        )
