"""Step 10: before anything leaves the enclave: which records are still permitted?

The same checks in the same order as a release, at the newest block, and one more: I must have released the record to
this run. A withdrawal that stands in the newest block therefore drops the person from a run in progress. Each
refusal goes to the log, once, so that its owner can read it.

Releasing paid for one draw of noise. What is confirmed may leave the enclave, and who has two noised results of one
run averages them: a further session of it pays the run's price anew, or is refused what no budget is left for. One
that ended before it confirmed cost nothing more, and exact results cost nothing ever.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from nebula.database import writing
from nebula.keeper import budgets, log
from nebula.keeper.admission import admit
from nebula.keeper.context import Keeper
from nebula.keeper.noting import note
from nebula.keeper.reasons import BUDGET_SPENT
from nebula.keeper.sessions import Session
from nebula.keeper.verdicts import Verdict, decide, distinct, if_released
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
    slots = keeper.ledger.slots(records, asking.block)

    with writing(keeper.engine) as connection:
        head = log.lock_head(connection)
        verdicts = [
            if_released(verdict) for verdict in decide(connection, slots, asking.terms, run=request.run, at=asking.at)
        ]
        if asking.terms.document.privacy_micro_rho:
            verdicts = _pay_for_noise(connection, verdicts, asking.session)
        refused = [verdict for verdict in verdicts if verdict.reasons]
        told = [verdict for verdict in verdicts if verdict.reasons or verdict.micro_rho]
        note(connection, head, told, asking, step="confirm")

    return asking.tell(refused)


def _pay_for_noise(connection: Connection, verdicts: Sequence[Verdict], session: Session) -> list[Verdict]:
    """Have each record pay that another session of this run may hold noise of; ``micro_rho`` says what it paid."""
    run, me = session.evidence.run, session.evidence.session
    price = session.evidence.study.privacy_micro_rho
    permitted = [verdict.record for verdict in verdicts if not verdict.reasons]
    drawn = budgets.drawn_by(connection, run, permitted)
    again = {record for record, drawers in drawn.items() if me not in drawers}
    spent = budgets.spent_budgets(connection, list(again))
    decided = [
        _paid(verdict, price, spent[verdict.record]) if verdict.record in again else verdict for verdict in verdicts
    ]
    charges = {verdict.record: verdict.micro_rho for verdict in decided if not verdict.reasons and verdict.micro_rho}
    budgets.spend_again(connection, run, charges)
    budgets.note_draws(connection, run, me, [verdict.record for verdict in decided if not verdict.reasons])
    return decided


def _paid(verdict: Verdict, price: int, spent: int) -> Verdict:
    holding = verdict.holding
    if holding is None or spent + holding.dealing.charge(price) > holding.policy.privacy_budget_micro_rho:
        return replace(verdict, reasons=(BUDGET_SPENT,))
    return replace(verdict, micro_rho=holding.dealing.charge(price))
