"""Step 5: which records would I release for this study?

Answered when, in this order: (1) the hub asks; (2) the study may go ahead, funded or not (see ``standing``). Then
one decision over all policies that count, column by column, which records have the parts that the study needs, on its
panel, by their owners' word, and what is left of each privacy budget: of a record that has paid for the study's run
already, nothing more is asked.

The hub learns the ids of those that say yes. Of those that say no it learns counts by reason, over *all* policies and
with the first page only: a page of one record must not tell why that record refused.
"""

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from nebula.database import insert_or_ignore, reading, writing
from nebula.keeper.budgets import spent_budgets, used_in
from nebula.keeper.context import Keeper
from nebula.keeper.reasons import NO_PART, NOT_CURRENT, WITHDRAWN
from nebula.keeper.snapshot import Snapshot, Snapshots
from nebula.keeper.standing import check_terms
from nebula.keeper.state import approved_records
from nebula.keeper.tables import studies
from nebula.protocol.consent import Refusal
from nebula.protocol.consent_columns import count_reasons
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.funding import run_id, study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import MatchAnswer, MatchRequest
from nebula.protocol.record import needed_parts
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import to_canonical


def match(keeper: Keeper, snapshots: Snapshots, request: MatchRequest, sender: Address) -> MatchAnswer:
    """Decide a study over all policies, and return a page of those that permit it.

    Raises:
        NotPermittedError: ``match.hub``, or the study may not go ahead.
    """
    if sender != keeper.hub:
        raise NotPermittedError("match.hub", "only this network's hub may ask which records match")
    at = keeper.clock()
    standing = check_terms(keeper, request.study, at=at)
    _remember(keeper, request.study)
    snapshot = snapshots.newest(at)
    approved, left = _own_books(keeper, snapshot, request.study)
    refusals = snapshot.columns.decide(standing.terms, at=at, approved=approved)
    refusals[left < snapshot.charges(request.study.privacy_micro_rho)] |= np.uint16(Refusal.BUDGET)
    have_parts = snapshot.parts.have(needed_parts(request.study))
    return _page(snapshot, refusals, have_parts, request)


def _remember(keeper: Keeper, study: StudyDocument) -> None:
    """Keep the study, so that owners who want to be asked find it."""
    row = {"study": study_id(study), "deadline": study.deadline, "document": to_canonical(study)}
    with writing(keeper.engine) as connection:
        connection.execute(insert_or_ignore(connection, studies).values(row))


def _own_books(keeper: Keeper, snapshot: Snapshot, study: StudyDocument) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return who approved the study, and what each has left to spend on it, in the snapshot's order."""
    with reading(keeper.engine) as connection:
        approvals = approved_records(connection, study_id(study))
        books = spent_budgets(connection)
        paid = used_in(connection, run_id(study_id(study)))
    records = snapshot.columns.records
    approved = np.fromiter((record in approvals for record in records), np.bool_, len(records))
    spent = np.fromiter((books.get(record, 0) for record in records), np.int64, len(records))
    has_paid = np.fromiter((record in paid for record in records), np.bool_, len(records))
    return approved, snapshot.budget_micro_rho - spent + has_paid * snapshot.charges(study.privacy_micro_rho)


def _page(
    snapshot: Snapshot, refusals: NDArray[np.uint16], have_parts: NDArray[np.bool_], request: MatchRequest
) -> MatchAnswer:
    records = snapshot.columns.records
    permitted = np.flatnonzero((refusals == 0) & have_parts)
    start = 0
    if request.after is not None:
        start = int(np.searchsorted(permitted, bisect_right(records, request.after)))
    chosen = tuple(records[place] for place in permitted[start : start + request.limit])
    more = start + len(chosen) < len(permitted)
    return MatchAnswer(
        records=chosen,
        refused=_counts(snapshot, refusals, have_parts) if request.after is None else {},
        next_after=chosen[-1] if more else None,
    )


def _counts(snapshot: Snapshot, refusals: NDArray[np.uint16], have_parts: NDArray[np.bool_]) -> dict[str, int]:
    counts = count_reasons(refusals) | {
        NO_PART: int(np.count_nonzero(~have_parts)),
        WITHDRAWN: snapshot.withdrawn,
        NOT_CURRENT: snapshot.not_current,
    }
    return {reason: count for reason, count in counts.items() if count}
