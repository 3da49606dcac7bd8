"""Step 10: before anything leaves the enclave: which records are still permitted?

The same checks in the same order as a release, at the newest block, and one more: I must have released the record to
this run. A withdrawal that stands in the newest block therefore drops the person from a run in progress. Each
refusal goes to the log, once, so that its owner can read it; nothing is spent.
"""

from dataclasses import replace

from nebula.database import writing
from nebula.keeper import log
from nebula.keeper.admission import admit
from nebula.keeper.context import Keeper
from nebula.keeper.noting import note
from nebula.keeper.reasons import NOT_RELEASED
from nebula.keeper.verdicts import Verdict, decide, distinct
from nebula.protocol.ids import Address
from nebula.protocol.messages import ConfirmAnswer, ConfirmRequest


def confirm(keeper: Keeper, request: ConfirmRequest, sender: Address) -> ConfirmAnswer:
    """Return those of a page of records that may no longer be used.

    Raises:
        RejectedInputError, NotPermittedError: the whole page is refused: no result may leave.
        UnavailableError: the ledger or the database is away.
    """
    records = distinct(request.records)
    asking = admit(keeper, request, sender)
    slots = dict(zip(records, keeper.ledger.slots(records, asking.block), strict=True))

    with writing(keeper.engine) as connection:
        head = log.lock_head(connection)
        verdicts = [
            _used(verdict) for verdict in decide(connection, slots, asking.terms, run=request.run, at=asking.at)
        ]
        refused = [verdict for verdict in verdicts if verdict.reasons]
        note(connection, head, refused, asking, step="confirm")

    return ConfirmAnswer(
        refused=tuple(verdict.record for verdict in refused),
        block_number=asking.block.number,
        block_hash=asking.block.hash,
    )


def _used(verdict: Verdict) -> Verdict:
    if verdict.used or verdict.reasons:
        return verdict
    return replace(verdict, reasons=(NOT_RELEASED,))
