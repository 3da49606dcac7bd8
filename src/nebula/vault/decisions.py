"""What keepers decided about one's own records, and saying yes to a single study in *ask* mode."""

from dataclasses import dataclass

from sqlalchemy import Engine

from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, begins
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    APPROVE,
    DECISIONS,
    Accepted,
    Approval,
    ApproveRequest,
    DecisionsAnswer,
    DecisionsRequest,
    LogHead,
    RecordedDecision,
)
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.study import StudyDocument
from nebula.transport.client import Carrier, Peer
from nebula.vault.enrol import Network
from nebula.vault.log_heads import compare_head


@dataclass(frozen=True, slots=True)
class KeeperDecisions:
    """What one keeper decided about a record, oldest first, and what waits; None for a keeper that is away.

    ``contradicted``: an earlier head of the keeper's log that cannot be of one log with ``head``: it was rewritten, or
    set back to an old copy. Both are signed by the keeper.
    """

    keeper: Address
    decisions: tuple[RecordedDecision, ...] | None
    waiting: tuple[StudyDocument, ...] = ()
    head: LogHead | None = None
    contradicted: LogHead | None = None


def read_decisions(engine: Engine, network: Network, control_key: SigningKey) -> list[KeeperDecisions]:
    """Ask every keeper what it decided about the record of a control key, and keep the heads of their logs.

    Raises:
        IntegrityError: a keeper did not sign its log's head.
    """
    carrier = Carrier()
    found = []
    for keeper in network.settings.keepers:
        peer = Peer(keeper.url, keeper.address, key=control_key.secret, carrier=carrier)
        try:
            found.append(_read_all(engine, peer))
        except UnavailableError:
            found.append(KeeperDecisions(keeper.address, None))
    return found


def approve(engine: Engine, network: Network, control_key: SigningKey, wanted: str) -> StudyDocument:
    """Say yes to the one waiting study of this id or prefix, and return it. Saying it again changes nothing.

    Raises:
        RejectedInputError: no such study waits, or several begin so.
        UnavailableError: fewer keepers than the threshold took the approval.
    """
    waiting = {study_id(study): study for one in read_decisions(engine, network, control_key) for study in one.waiting}
    study = _only(wanted, waiting)
    unsigned = Approval(record=control_key.address, study=study, signature=UNSIGNED)
    request = ApproveRequest(approvals=(sign_document(unsigned, control_key.secret),))
    taken = sum(_took(network, keeper.address, request) for keeper in network.settings.keepers)
    if taken < network.settings.threshold:
        raise UnavailableError(
            "vault.approval",
            f"only {taken} keepers took the approval, and {network.settings.threshold} are needed",
            hint="approve again when more of them answer (`nebula status`)",
        )
    return waiting[study]


def _only(wanted: str, waiting: dict[Hash32, StudyDocument]) -> Hash32:
    fitting = [study for study in waiting if begins(study, wanted)]
    if len(fitting) != 1:
        listed = [f"{study[:14]} ({document.title})" for study, document in waiting.items()]
        raise RejectedInputError(
            "vault.study",
            f"{len(fitting) or 'no'} study that waits for your approval answers to {wanted!r}",
            hint=f"these wait: {', '.join(listed)}" if listed else "none waits; one is asked about in ask mode alone",
        )
    return fitting[0]


def _took(network: Network, keeper: Address, request: ApproveRequest) -> bool:
    try:
        network.keepers[keeper].ask(APPROVE, request, Accepted)
    except UnavailableError:
        return False
    return True


def _read_all(engine: Engine, peer: Peer) -> KeeperDecisions:
    decisions: list[RecordedDecision] = []
    while True:
        after = decisions[-1].sequence if decisions else 0
        answer = peer.ask(DECISIONS, DecisionsRequest(after=after), DecisionsAnswer)
        decisions += answer.decisions
        if not answer.more or not answer.decisions:
            contradicted = compare_head(engine, peer.address, answer.head)
            return KeeperDecisions(peer.address, tuple(decisions), answer.waiting, answer.head, contradicted)
