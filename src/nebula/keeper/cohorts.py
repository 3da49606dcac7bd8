"""Step 10, for exact results: the memory that a difference attack needs to fail.

Two results of one buyer over cohorts that differ in a few people tell about those few. Who is in a cohort is known
inside the enclave alone, because conditions on phenotypes decide it; so the enclave compares, and keepers remember.
They remember what they cannot read: each piece of a cohort is encrypted, and each keeper holds one share of its key.

A piece is kept when, in this order: (1) the sender is a session that may ask (see ``admission``); (2) the session
itself signed the piece. It is handed to later sessions of the same buyer that may ask. Nothing here is ever deleted.
"""

from sqlalchemy import RowMapping, select

from nebula.database import insert_or_ignore, reading, writing
from nebula.keeper.admission import admit
from nebula.keeper.context import Keeper
from nebula.keeper.sessions import Session
from nebula.keeper.tables import cohorts
from nebula.keeper.tables import sessions as appraised
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.ids import Address
from nebula.protocol.messages import (
    COHORT_PAGE,
    Accepted,
    CohortNote,
    CohortsAnswer,
    CohortsRequest,
    KeepCohortRequest,
    KeptCohort,
)
from nebula.protocol.receipt import parse_evidence
from nebula.protocol.record import COHORT_INFO, cohort_context
from nebula.protocol.sealing import open_sealed, seal
from nebula.protocol.signed_by_control_key import check_document
from nebula.protocol.wire import MAX_MESSAGE_BYTES, parser, to_canonical

_parse_note = parser(CohortNote, max_bytes=MAX_MESSAGE_BYTES)


def keep_cohort(keeper: Keeper, request: KeepCohortRequest, sender: Address) -> Accepted:
    """Keep a piece of a session's cohort; keeping it again changes nothing.

    Raises:
        NotPermittedError, IntegrityError: the first check that failed.
        UnavailableError: the ledger or the database is away.
    """
    session = admit(keeper, request, sender).session
    if request.note.session != sender:
        raise NotPermittedError("cohort.session", "a session leaves its own cohort, and signs it")
    check_document(request.note, sender)
    context = cohort_context(sender, keeper=keeper.address, reader=keeper.address)
    open_sealed(keeper.sealing_key, request.sealed_share, info=COHORT_INFO, aad=context)
    row = {
        "session": sender,
        "piece": request.note.piece,
        "buyer": session.evidence.study.buyer,
        "note": to_canonical(request.note),
        "sealed_share": request.sealed_share,
    }
    with writing(keeper.engine) as connection:
        connection.execute(insert_or_ignore(connection, cohorts).values(row))
    return Accepted()


def earlier_cohorts(keeper: Keeper, request: CohortsRequest, sender: Address) -> CohortsAnswer:
    """Return a page of what earlier sessions of the sender's buyer left.

    Raises:
        NotPermittedError, UnavailableError: as for :func:`keep_cohort`.
    """
    session = admit(keeper, request, sender).session
    chosen = (
        select(cohorts, appraised.c.evidence)
        .join_from(cohorts, appraised, cohorts.c.session == appraised.c.session)
        .where(
            cohorts.c.buyer == session.evidence.study.buyer,
            cohorts.c.session != sender,
            cohorts.c.sequence > request.after,
        )
        .order_by(cohorts.c.sequence)
        .limit(COHORT_PAGE + 1)
    )
    with reading(keeper.engine) as connection:
        rows = connection.execute(chosen).mappings().all()
    page = rows[:COHORT_PAGE]
    return CohortsAnswer(
        kept=tuple(_released(keeper, row, session) for row in page),
        last=page[-1]["sequence"] if page else request.after,
        more=len(rows) > COHORT_PAGE,
    )


def _released(keeper: Keeper, row: RowMapping, reader: Session) -> KeptCohort:
    left_by, me = row["session"], keeper.address
    kept = cohort_context(left_by, keeper=me, reader=me)
    share = open_sealed(keeper.sealing_key, row["sealed_share"], info=COHORT_INFO, aad=kept)
    handed = cohort_context(left_by, keeper=me, reader=reader.evidence.session)
    return KeptCohort(
        evidence=parse_evidence(row["evidence"]),
        note=_parse_note(row["note"]),
        sealed_share=seal(reader.evidence.session_key, share, info=COHORT_INFO, aad=handed),
    )
