"""Step 7: is this session what it says it is? My yes is a signed vote.

In this order: (1) the session itself shows the evidence; (2) it asks for the first time: asked again with the same
evidence, I give the same vote; (3) the study may go ahead and is funded (see ``standing``); (4) its code is approved on
the ledger under its trust root; (5) the consent block stands on my chain and is recent; (6) the session's key is fit
to be sealed to; (7) it has a fresh nonce of mine; (8) with collateral that I fetched myself, the quote verifies, my own
policy accepts what it proves, and its REPORTDATA binds my nonce, the session's keys, the study, the run and the block.
Then, in one transaction, the nonce is spent and the vote kept; only then it is sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nebula.attestation.appraisal import AppraisalPolicy, AppraisedSession
from nebula.attestation.collateral import Collateral, CollateralSource
from nebula.attestation.evidence import appraise_evidence
from nebula.attestation.roots import TrustRoot, is_simulated
from nebula.database import reading, writing
from nebula.keeper import sessions
from nebula.keeper.context import Keeper
from nebula.keeper.ledger_view import Block
from nebula.keeper.nonces import find_nonce, spend_nonce
from nebula.keeper.sessions import Session
from nebula.keeper.standing import check_study
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import AppraiseAnswer, AppraiseRequest
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.sealing import require_strong_key
from nebula.protocol.session_vote import cast_vote

MAX_CONSENT_BLOCK_AGE = 256
"""How many blocks old the block may be that a session starts from."""

Judge = Callable[[Evidence, KeeperNonce, datetime], tuple[AppraisedSession, Collateral]]
"""Verifies and appraises evidence; returns the session and the collateral that it was judged by."""


@dataclass(frozen=True, slots=True)
class QuoteJudge:
    """This keeper's own judgement: collateral from its own source, roots and policy from its own settings."""

    source: CollateralSource
    roots: tuple[TrustRoot, ...]
    policy: AppraisalPolicy

    def __call__(self, evidence: Evidence, own: KeeperNonce, at: datetime) -> tuple[AppraisedSession, Collateral]:
        """Judge evidence.

        Raises:
            QuoteRejectedError, AppraisalRefusedError, NotPermittedError: it is not good enough; the code says why.
            IntegrityError: two verifiers disagree.
            UnavailableError: collateral cannot be had.
        """
        collateral = self.source.collateral_for(evidence.quote, at=at)
        return appraise_evidence(evidence, collateral, self.roots, self.policy, at=at, own=own), collateral


def appraise(keeper: Keeper, judge: Judge, request: AppraiseRequest, sender: Address) -> AppraiseAnswer:
    """Judge a session and vote for it.

    Raises:
        NebulaError: the first check that failed; nothing is spent.
    """
    evidence, at = request.evidence, keeper.clock()
    if evidence.session != sender:
        raise NotPermittedError("appraisal.sender", "a session shows its own evidence, and signs for it")
    earlier = _earlier_vote(keeper, evidence)
    if earlier is not None:
        return _answer(earlier)
    standing = check_study(keeper, evidence.study, at=at)
    _check_approved(keeper, evidence, standing.block)
    _check_consent_block(keeper, evidence, standing.block)
    require_strong_key(evidence.session_key)
    purpose = {"study": study_id(evidence.study), "run": evidence.run, "session": sender}
    with reading(keeper.engine) as connection:
        nonce = find_nonce(connection, **purpose, at=at)
    appraised, collateral = judge(evidence, KeeperNonce(keeper=keeper.address, nonce=nonce), at)
    vote = cast_vote(evidence, keeper.sessions, keeper.signing_key)
    session = Session(evidence, collateral, vote, appraised.simulated)
    with writing(keeper.engine) as connection:
        spend_nonce(connection, **purpose, nonce=nonce)
        sessions.keep(connection, session)
    return _answer(session)


def _earlier_vote(keeper: Keeper, evidence: Evidence) -> Session | None:
    with reading(keeper.engine) as connection:
        earlier = sessions.find(connection, keeper.address, evidence.session)
    if earlier is not None and earlier.evidence != evidence:
        raise NotPermittedError("nonce.spent", "this session was appraised already, on other evidence")
    return earlier


def _check_approved(keeper: Keeper, evidence: Evidence, block: Block) -> None:
    study = evidence.study
    simulated = is_simulated(study.trust_root)
    if not keeper.ledger.approves(study.measurement, study.trust_root, simulated=simulated, at=block):
        raise NotPermittedError(
            "appraisal.not-approved", "the study's code is not approved on the ledger under its trust root"
        )


def _check_consent_block(keeper: Keeper, evidence: Evidence, newest: Block) -> None:
    number = evidence.consent_block_number
    if number > newest.number:
        raise UnavailableError("ledger.behind", f"this keeper's node has not seen block {number} yet; try again")
    block = keeper.ledger.block(number)
    if block is None or block.hash != evidence.consent_block_hash:
        raise NotPermittedError("appraisal.block", f"block {number} of this session does not stand on the ledger")
    if newest.number - number > MAX_CONSENT_BLOCK_AGE:
        raise NotPermittedError("appraisal.old-block", f"block {number} is too old to start a session from")


def _answer(session: Session) -> AppraiseAnswer:
    return AppraiseAnswer(vote=session.vote, collateral=session.collateral.to_bytes())
