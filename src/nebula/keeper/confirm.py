"""Step 10: before anything leaves the enclave: which records are still permitted?

The same checks in the same order as a release, at the newest block, and one more: I must have released the record to
this run. A withdrawal that stands in the newest block therefore drops the person from a run in progress. Each
refusal goes to the log, once, so that its owner can read it; nothing is spent.
"""

from dataclasses import replace

from nebula.database import writing
from nebula.keeper import log, sessions
from nebula.keeper.context import Keeper
from nebula.keeper.reasons import NOT_RELEASED
from nebula.keeper.release import entries_of, is_news
from nebula.keeper.standing import check_study
from nebula.keeper.verdicts import Verdict, decide, distinct
from nebula.protocol.ids import Address
from nebula.protocol.messages import ConfirmAnswer, ConfirmRequest


def confirm(keeper: Keeper, request: ConfirmRequest, sender: Address) -> ConfirmAnswer:
    """Return those of a page of records that may no longer be used.

    Raises:
        RejectedInputError, NotPermittedError: the whole page is refused: no result may leave.
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
        verdicts = [_used(verdict) for verdict in decide(connection, slots, standing.terms, run=request.run, at=at)]
        refused = [verdict for verdict in verdicts if verdict.reasons]
        entries = entries_of(refused, session, standing.block, step="confirm", at=at)
        known = log.latest(connection, sender, [verdict.record for verdict in refused])
        log.append(connection, head, [entry for entry in entries if is_news(entry, known.get(entry.record))])

    return ConfirmAnswer(
        refused=tuple(verdict.record for verdict in refused),
        block_number=standing.block.number,
        block_hash=standing.block.hash,
    )


def _used(verdict: Verdict) -> Verdict:
    if verdict.used or verdict.reasons:
        return verdict
    return replace(verdict, reasons=(NOT_RELEASED,))
