"""Step 3: new policies, approvals of single studies, and what an owner may read.

A policy update is accepted when, in this order: (1) the record's control key signed it; (2) its policy is for this
record; (3) I hold shares under its manifest. Like an enrolment it waits until the ledger commits to it.

An approval is kept when (1) the record's control key signed it and (2) I hold shares of the record.

Decisions are told to the record's control key alone, which is the sender of the envelope that asks.
"""

from datetime import datetime

from sqlalchemy import Connection, func, select

from nebula.database import insert_or_ignore, reading, writing
from nebula.keeper import log
from nebula.keeper.context import Keeper
from nebula.keeper.enrol import acceptance, keep_policy, refusal
from nebula.keeper.head import signed_head
from nebula.keeper.ledger_view import Block
from nebula.keeper.reasons import sentence
from nebula.keeper.state import CurrentPolicy, approved_records, current_policies
from nebula.keeper.tables import approvals, enrolments, studies
from nebula.protocol.consent import Mode, Refusal, permits
from nebula.protocol.errors import NebulaError, RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import (
    Acceptance,
    Accepted,
    ApproveRequest,
    DecisionsAnswer,
    DecisionsRequest,
    EnrolAnswer,
    PolicyRequest,
    PolicyUpdate,
    RecordedDecision,
    RefusedEnrolment,
)
from nebula.protocol.record import needed_parts
from nebula.protocol.signed_by_control_key import check_document
from nebula.protocol.study import BuyerFacts, StudyDocument, StudyTerms, parse_study

DECISIONS_PAGE = 500
MAX_STUDIES_SHOWN = 100


def update_policies(keeper: Keeper, request: PolicyRequest) -> EnrolAnswer:
    """Keep a page of new policies; each stands for itself."""
    accepted: list[Acceptance] = []
    refused: list[RefusedEnrolment] = []
    with writing(keeper.engine) as connection:
        for update in request.updates:
            try:
                _keep_update(connection, update)
            except NebulaError as error:
                refused.append(refusal(update.record, error))
            else:
                accepted.append(acceptance(keeper, update.policy, update.version, update.manifest_commitment))
    return EnrolAnswer(accepted=tuple(accepted), refused=tuple(refused))


def approve(keeper: Keeper, request: ApproveRequest) -> Accepted:
    """Keep owners' approvals, all or none; keeping them again changes nothing.

    Raises:
        IntegrityError: one was not signed by its record's control key.
        RejectedInputError: ``approve.not-held``.
    """
    rows = [
        {"record": check_document(approval, approval.record).record, "study": approval.study}
        for approval in request.approvals
    ]
    with writing(keeper.engine) as connection:
        named = {row["record"] for row in rows}
        held = set(connection.scalars(select(enrolments.c.record).where(enrolments.c.record.in_(named))))
        if missing := named - held:
            raise RejectedInputError("approve.not-held", f"this keeper holds no share of record {min(missing)}")
        connection.execute(insert_or_ignore(connection, approvals), rows)
    return Accepted()


def read_decisions(keeper: Keeper, request: DecisionsRequest, record: Address) -> DecisionsAnswer:
    """Return what was decided about the sender's own record, and which studies wait for its owner."""
    with reading(keeper.engine) as connection:
        found = log.about(connection, record, after=request.after, limit=DECISIONS_PAGE + 1)
    return DecisionsAnswer(
        decisions=tuple(_readable(entry) for entry in found[:DECISIONS_PAGE]),
        waiting=_waiting(keeper, record, at=keeper.clock()),
        more=len(found) > DECISIONS_PAGE,
        head=signed_head(keeper),
    )


def _keep_update(connection: Connection, update: PolicyUpdate) -> None:
    check_document(update, update.record)
    if update.policy.record != update.record:
        raise RejectedInputError("policy.record", "the policy is another record's")
    held = (enrolments.c.record == update.record) & (enrolments.c.manifest_commitment == update.manifest_commitment)
    if not connection.scalars(select(func.count()).select_from(enrolments).where(held)).one():
        raise RejectedInputError(
            "policy.not-held", "this keeper holds no shares under that manifest", hint="enrol the record first"
        )
    keep_policy(connection, update.policy, update.version, update.manifest_commitment)


def _readable(entry: log.LogEntry) -> RecordedDecision:
    return RecordedDecision(
        sequence=entry.sequence,
        study=entry.study,
        run=entry.run,
        released=entry.released,
        reasons=tuple(sentence(reason) for reason in entry.reasons),
        block_number=entry.block_number,
    )


def _waiting(keeper: Keeper, record: Address, *, at: datetime) -> tuple[StudyDocument, ...]:
    """Return the studies to which nothing but the owner's approval is missing."""
    block = keeper.ledger.newest_block()
    slots = keeper.ledger.slots([record], block)
    with reading(keeper.engine) as connection:
        current = current_policies(connection, slots).get(record)
        if current is None or current.policy.mode is not Mode.ASK:
            return ()
        open_ones = select(studies.c.document).where(studies.c.deadline >= int(at.timestamp()))
        documents = [parse_study(raw) for raw in connection.scalars(open_ones.order_by(studies.c.deadline))]
        unanswered = [item for item in documents if not approved_records(connection, study_id(item), [record])]
    return _only_approval_missing(keeper, current, unanswered, block, at)[:MAX_STUDIES_SHOWN]


def _only_approval_missing(
    keeper: Keeper, current: CurrentPolicy, documents: list[StudyDocument], block: Block, at: datetime
) -> tuple[StudyDocument, ...]:
    buyers: dict[Address, BuyerFacts | None] = {
        address: keeper.ledger.buyer(address, block) for address in {document.buyer for document in documents}
    }
    missing = []
    for document in documents:
        buyer = buyers[document.buyer]
        if buyer is None:
            continue
        closure = keeper.diseases.closure(document.purpose.diseases)
        terms = StudyTerms(document=document, buyer=buyer, disease_closure=closure)
        is_all = permits(current.policy, terms, at=at).refusals == Refusal.APPROVAL
        if (
            is_all
            and needed_parts(document) <= current.parts
            and not keeper.ledger.study_is_over(study_id(document), block)
        ):
            missing.append(document)
    return tuple(missing)
