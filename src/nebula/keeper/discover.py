"""Step 4: who may be counted for a buyer now, and what a buyer may still be told.

A discovery is a study that stands: its session was appraised and given shares like any other. What it cannot know is
who will ask. So for every question, in this order: (1) the sender is a session that may ask (see ``admission``), and
its study is a discovery; (2) the buyer who asks is in good standing, at my node's newest block.

:func:`discover` decides anew about each record, with the buyer who asks in place of the one who published: whoever
withdrew is gone with the withdrawal's block, and whoever denies this buyer is not counted for them.

:func:`spend` notes a draw of noise *before* it is told. Releasing took the study's whole rho off every record's
budget, so the draws of all its sessions, told to whomever, may cost that much together. Each buyer has a part of it.
What was told stands in the keeper's own tables: a session that is killed, or a second one, finds it spent already.
Each keeper charges n/t times the price, because t of the study's n keepers note each draw, and no choice of them may
overspend.
"""

from dataclasses import replace

from nebula.analysis.parameters import Discovery, parse_parameters
from nebula.database import writing
from nebula.keeper import budgets, log
from nebula.keeper.admission import Admitted, admit
from nebula.keeper.context import Keeper
from nebula.keeper.noting import note
from nebula.keeper.verdicts import decide, distinct, if_released
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.messages import Accepted, ConfirmAnswer, DiscoverRequest, SpendRequest
from nebula.protocol.record import Dealing
from nebula.protocol.study import StudyDocument


def discover(keeper: Keeper, request: DiscoverRequest, sender: Address) -> ConfirmAnswer:
    """Return those of a page of records that may not be counted for a buyer.

    Raises:
        RejectedInputError, NotPermittedError: the whole page is refused: nothing may be told.
        UnavailableError: the ledger or the database is away.
    """
    records = distinct(request.records)
    asking = _admit_for_buyer(keeper, request, sender)
    slots = keeper.ledger.slots(records, asking.block)

    with writing(keeper.engine) as connection:
        head = log.lock_head(connection)
        decided = decide(connection, slots, asking.terms, run=request.run, at=asking.at)
        refused = [verdict for verdict in map(if_released, decided) if verdict.reasons]
        note(connection, head, refused, asking, step="discover")

    return asking.tell(refused)


def spend(keeper: Keeper, request: SpendRequest, sender: Address) -> Accepted:
    """Note that a buyer is told a draw of noise; noting it again changes nothing.

    Raises:
        NotPermittedError: ``discovery.buyer-budget``, ``discovery.budget``; or as for :func:`discover`.
        UnavailableError: the ledger or the database is away.
    """
    document = _admit_for_buyer(keeper, request, sender).terms.document
    terms = _parameters(document)
    dealing = Dealing(keepers=len(document.keepers), threshold=document.keeper_threshold)
    price, this = dealing.charge(terms.question_micro_rho), (request.run, sender, request.draw, request.buyer)
    with writing(keeper.engine) as connection:
        log.lock_head(connection)
        told = budgets.told_in(connection, *this)
        if told.draw_to_buyer:
            return Accepted()
        if told.buyer_micro_rho + price > terms.buyer_micro_rho:
            raise NotPermittedError(
                "discovery.buyer-budget",
                "this buyer has asked all that one buyer may ask of this discovery",
                hint="what was answered before is answered again at no cost, as long as nobody joins or leaves",
            )
        if not told.draw_to_anyone and told.run_micro_rho + price > document.privacy_micro_rho:
            raise NotPermittedError(
                "discovery.budget",
                "the privacy budget of this discovery is spent",
                hint="a new discovery asks its records for a new one",
            )
        budgets.note_telling(connection, *this, price)
    return Accepted()


def _admit_for_buyer(keeper: Keeper, request: DiscoverRequest | SpendRequest, sender: Address) -> Admitted:
    asking = admit(keeper, request, sender)
    if not asking.terms.document.is_discovery:
        raise RejectedInputError("discovery.study", "this session's study is no discovery: it answers nobody")
    buyer = keeper.ledger.buyer(request.buyer, asking.block)
    if buyer is None:
        raise NotPermittedError("buyer.standing", "who asks is not, or no longer, a verified buyer in good standing")
    return replace(asking, terms=replace(asking.terms, buyer=buyer))


def _parameters(document: StudyDocument) -> Discovery:
    parameters = parse_parameters(document.analysis, document.parameters)
    if not isinstance(parameters, Discovery):
        raise RejectedInputError("discovery.study", f"{document.analysis} is no discovery that this keeper knows")
    return parameters
