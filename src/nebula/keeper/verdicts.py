"""One record, one study, now: yes or no, and why. What release and confirmation share.

In this order, and the first *no* of (1) to (3) is the only one given: (1) I hold shares of the record; (2) its slot on
the ledger is live; (3) the slot commits to a policy, and a version of it, that I hold; (4) that policy permits
the study, with every reason; (5) by its owner's word the record has the parts that the study needs, on its panel;
(6) what is left of its privacy budget covers the study, unless this run has paid for the record already: a restarted
session does not pay twice (until noise was drawn: see ``confirm``). What it pays here is n/t times what the study
takes, as ``Dealing.charge`` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from nebula.keeper import budgets, state, tables
from nebula.keeper.ledger_view import Slot
from nebula.keeper.reasons import BUDGET_SPENT, NO_PART, NOT_CURRENT, NOT_HELD, NOT_RELEASED, WITHDRAWN, codes_of
from nebula.keeper.state import Holding
from nebula.protocol.consent import permits
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.record import needed_parts
from nebula.protocol.study import StudyTerms


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about one record; no reasons: yes, and then there is a holding.

    ``micro_rho``: what the run still has to pay out of the record's privacy budget.
    """

    record: Address
    reasons: tuple[str, ...]
    holding: Holding | None = None
    micro_rho: int = 0
    used: bool = False


@dataclass(frozen=True, slots=True)
class Books:
    """What the keeper's own tables say about a page of records."""

    held: set[Address]
    holdings: Mapping[Address, Holding]
    approved: set[Address]
    spent: Mapping[Address, int]
    used: set[Address]


def distinct(records: Sequence[Address]) -> tuple[Address, ...]:
    """Return the records if none stands twice.

    Raises:
        RejectedInputError: ``records.duplicate``.
    """
    if len(set(records)) != len(records):
        raise RejectedInputError("records.duplicate", "a record stands twice on this page")
    return tuple(records)


def decide(
    connection: Connection, slots: Mapping[Address, Slot], terms: StudyTerms, *, run: Hash32, at: datetime
) -> list[Verdict]:
    """Decide about every record of ``slots``, in order. For release, the log's head must be locked."""
    books = _read_books(connection, slots, study=study_id(terms.document), run=run)
    return [_decide(record, slot, books, terms, at) for record, slot in slots.items()]


def if_released(verdict: Verdict) -> Verdict:
    """Turn a yes about a record that was never released to the run into a no."""
    if verdict.used or verdict.reasons:
        return verdict
    return replace(verdict, reasons=(NOT_RELEASED,))


def _decide(record: Address, slot: Slot, books: Books, terms: StudyTerms, at: datetime) -> Verdict:
    used = record in books.used
    holding = books.holdings.get(record)
    if holding is None:
        # A record that was forgotten after its withdrawal is no longer held: the ledger's word comes first.
        reason = WITHDRAWN if slot.is_withdrawn else NOT_CURRENT if record in books.held else NOT_HELD
        return Verdict(record, (reason,), used=used)
    policy = holding.policy
    reasons = codes_of(permits(policy, terms, at=at, approved=record in books.approved))
    price = 0 if used else holding.dealing.charge(terms.document.privacy_micro_rho)
    if not needed_parts(terms.document) <= holding.parts:
        reasons = (*reasons, NO_PART)
    if books.spent.get(record, 0) + price > policy.privacy_budget_micro_rho:
        reasons = (*reasons, BUDGET_SPENT)
    return Verdict(record, reasons, holding, price, used)


def _read_books(connection: Connection, slots: Mapping[Address, Slot], *, study: Hash32, run: Hash32) -> Books:
    records = list(slots)
    enrolled = select(tables.enrolments.c.record).where(tables.enrolments.c.record.in_(records))
    return Books(
        held=set(connection.scalars(enrolled)),
        holdings=state.current_holdings(connection, slots),
        approved=state.approved_records(connection, study, records),
        spent=budgets.spent_budgets(connection, records),
        used=budgets.used_in(connection, run, records),
    )
