"""Whether a session may ask for anything now: shares, a last confirmation, earlier cohorts, a buyer's question.

In this order: (1) I appraised the sender for this very study and run; (2) the study may go ahead; (3) the ledger
registered the session, and still approves its code. See ``sessions`` and ``standing`` for what each takes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from nebula.keeper import sessions
from nebula.keeper.context import Keeper
from nebula.keeper.ledger_view import Block
from nebula.keeper.sessions import Session
from nebula.keeper.standing import check_study
from nebula.keeper.verdicts import Verdict
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import (
    CohortsRequest,
    ConfirmAnswer,
    ConfirmRequest,
    DiscoverRequest,
    KeepCohortRequest,
    ReleaseRequest,
    SpendRequest,
)
from nebula.protocol.study import StudyTerms

Request = ReleaseRequest | ConfirmRequest | KeepCohortRequest | CohortsRequest | DiscoverRequest | SpendRequest


@dataclass(frozen=True, slots=True)
class Admitted:
    """A session that may ask about its study, as of a moment and a block."""

    study: Hash32
    session: Session
    terms: StudyTerms
    block: Block
    at: datetime

    def tell(self, refused: Iterable[Verdict]) -> ConfirmAnswer:
        """Return the answer that names the records which may not be used, and the block that says so."""
        return ConfirmAnswer(
            refused=tuple(verdict.record for verdict in refused),
            block_number=self.block.number,
            block_hash=self.block.hash,
        )


def admit(keeper: Keeper, request: Request, sender: Address) -> Admitted:
    """Return the sender's session, checked.

    Raises:
        RejectedInputError, NotPermittedError: the first check that failed.
        UnavailableError: the ledger is away, or behind.
    """
    at = keeper.clock()
    session = sessions.require(keeper, sender, study=request.study, run=request.run)
    standing = check_study(keeper, session.evidence.study, at=at)
    sessions.check_registered(keeper, session, standing.block)
    return Admitted(request.study, session, standing.terms, standing.block, at)
