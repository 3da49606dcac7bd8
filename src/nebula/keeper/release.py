"""Step 8: seal my shares of a page of records to an attested session.

For the page, in this order: (1) no record stands twice; (2) the sender is a session that I appraised, for this study
and run; (3) the study may go ahead and is funded (see ``standing``), at my node's newest block; (4) the session stands
on the ledger; (5) the records' slots, at that same block. For each record: see ``verdicts``.

Then ONE transaction: lock the log's head, decide, spend the budgets, append to the log. Only when it is committed are
shares opened and sealed to the session. A keeper that dies in between has noted a use that did not happen, never the
other way round; the session asks again and is given the same, and nothing is spent or noted twice.

Sealed are the shares of the manifest and of the parts that the study needs, and no others.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from nebula.database import writing
from nebula.keeper import log, sessions, state
from nebula.keeper.context import Keeper
from nebula.keeper.enrol import open_bundle
from nebula.keeper.ledger_view import Block
from nebula.keeper.log import LogEntry
from nebula.keeper.reasons import DAMAGED, in_public
from nebula.keeper.sessions import Session
from nebula.keeper.standing import check_study
from nebula.keeper.state import Holding
from nebula.keeper.verdicts import Verdict, decide, distinct
from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import RefusedRecord, ReleaseAnswer, ReleasedShares, ReleaseRequest
from nebula.protocol.record import MANIFEST, SHARES_INFO, ShareBundle, release_context
from nebula.protocol.sealing import seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.study import StudyTerms
from nebula.protocol.wire import to_canonical

_log = structlog.get_logger()


def release(keeper: Keeper, request: ReleaseRequest, sender: Address) -> ReleaseAnswer:
    """Decide about a page of records and seal the shares of those that may be used.

    Raises:
        RejectedInputError, NotPermittedError: the whole page is refused; nothing is written.
        UnavailableError: the ledger or the database is away.
    """
    at = keeper.clock()
    records = distinct(request.records)
    session = sessions.require(keeper, sender, study=request.study, run=request.run)
    standing = check_study(keeper, session.evidence.study, at=at)
    sessions.check_registered(keeper, session, standing.block)
    slots = dict(zip(records, keeper.ledger.slots(records, standing.block), strict=True))

    with writing(keeper.engine) as connection:
        head = log.lock_head(connection)
        verdicts = decide(connection, slots, standing.terms, run=request.run, at=at)
        newly = [verdict.record for verdict in verdicts if not verdict.reasons and not verdict.used]
        state.spend(connection, request.run, newly, standing.terms.document.privacy_micro_rho)
        entries = entries_of(verdicts, session, standing.block, step="release", at=at)
        known = log.latest(connection, sender, records)
        log.append(connection, head, [entry for entry in entries if is_news(entry, known.get(entry.record))])

    return _seal_page(keeper, verdicts, session, standing.terms, standing.block)


def entries_of(
    verdicts: Sequence[Verdict], session: Session, block: Block, *, step: log.Step, at: datetime
) -> list[LogEntry]:
    """Return what the log says about verdicts."""
    study, run = study_id(session.evidence.study), session.evidence.run
    return [
        LogEntry(
            decided=int(at.timestamp()),
            step=step,
            record=verdict.record,
            study=study,
            run=run,
            session=session.evidence.session,
            released=not verdict.reasons,
            reasons=verdict.reasons,
            micro_rho=0 if verdict.reasons else verdict.micro_rho,
            block_number=block.number,
            block_hash=block.hash,
        )
        for verdict in verdicts
    ]


def is_news(entry: LogEntry, known: LogEntry | None) -> bool:
    """Whether a decision differs from the last one about the same record and session."""
    return known is None or (entry.released, entry.reasons) != (known.released, known.reasons)


def _seal_page(
    keeper: Keeper, verdicts: Sequence[Verdict], session: Session, terms: StudyTerms, block: Block
) -> ReleaseAnswer:
    wanted = {MANIFEST, *(part.value for part in terms.document.parts)}
    released: list[ReleasedShares] = []
    refused: list[RefusedRecord] = []
    for verdict in verdicts:
        if verdict.holding is None or verdict.reasons:
            refused.append(RefusedRecord(record=verdict.record, reasons=in_public(verdict.reasons)))
            continue
        try:
            released.append(_seal(keeper, verdict.holding, session, wanted))
        except IntegrityError as error:
            # They opened when they were enrolled: the disk is at fault. The others must not suffer for it.
            _log.error("damaged", code=error.code)
            refused.append(RefusedRecord(record=verdict.record, reasons=(DAMAGED,)))
    return ReleaseAnswer(
        released=tuple(released), refused=tuple(refused), block_number=block.number, block_hash=block.hash
    )


def _seal(keeper: Keeper, holding: Holding, session: Session, wanted: set[str]) -> ReleasedShares:
    evidence = session.evidence
    bundle = open_bundle(keeper, holding.record, holding.manifest_commitment, holding.sealed_shares)
    chosen = tuple(share for share in bundle.shares if share.kind in wanted)
    filtered = ShareBundle(record=bundle.record, manifest_commitment=bundle.manifest_commitment, shares=chosen)
    context = release_context(
        holding.record,
        holding.manifest_commitment,
        keeper=keeper.address,
        session=evidence.session,
        run=evidence.run,
    )
    return ReleasedShares(
        record=holding.record,
        manifest_commitment=holding.manifest_commitment,
        manifest_location=holding.manifest_location,
        sealed=seal(evidence.session_key, SecretBytes(to_canonical(filtered)), info=SHARES_INFO, aad=context),
    )
