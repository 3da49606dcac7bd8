"""Checks 1 to 13: who ran what, on whose word, and when consent was last looked at."""

from datetime import UTC, datetime

from nebula.attestation.evidence import appraise_evidence, find_root
from nebula.attestation.report_data import analysis_digest
from nebula.attestation.verify import verify_quote
from nebula.audit.collateral import parse_kept_collateral
from nebula.audit.facts import RunCase
from nebula.audit.report import require
from nebula.ledger.client.sessions import Approval
from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import funding_of
from nebula.protocol.ids import to_hex
from nebula.protocol.run_statement import check_statement
from nebula.protocol.session_vote import check_vote, session_vote
from nebula.protocol.signing import recover
from nebula.protocol.trust_roots import is_simulated
from nebula.protocol.typed_data import receipt_digest

_HARDWARE = {Approval.GENUINE: "genuine hardware", Approval.SIMULATED: "simulated hardware"}


def study(case: RunCase) -> str:
    """The study's document is the one that the buyer locked tokens for, on this chain."""
    document, receipt, funded = case.public.evidence.study, case.public.signed.receipt, case.funded
    funding = funding_of(document)
    require(document.chain_id == case.facts.addresses.chain_id, "the study was published for another ledger")
    require(funded.terms_digest == funding.terms_digest, "the study's document is not the one that was funded")
    require(funding.study == receipt.study == funded.study, "the receipt is for another study")
    return f"the study '{document.title}' is, to the letter, what {document.buyer} funded"


def receipt(case: RunCase) -> str:
    """The session that the receipt names signed it."""
    signed = case.public.signed
    signer = recover(receipt_digest(case.studies, signed.receipt), signed.signature)
    require(signer == signed.receipt.session, "the receipt was not signed by the session that it names")
    return f"session {signer} signed the receipt"


def statement(case: RunCase) -> str:
    """The same session signed, for this receipt, how many records left the run and why."""
    told = check_statement(case.public.statement, case.public.signed, case.studies)
    counts = ", ".join(f"{count:,} {reason}" for reason, count in told.dropped.items())
    return f"records that left the run: {counts or 'none'}"


def settlement(case: RunCase) -> str:
    """The ledger settled the study on this receipt, and on no other."""
    settled, signed = case.settled, case.public.signed.receipt
    require(settled.receipt == to_hex(receipt_digest(case.studies, signed)), "the ledger settled on another receipt")
    told = (settled.study, settled.run, settled.session, settled.payout_root, settled.result_digest)
    wanted = (signed.study, signed.run, signed.session, signed.payout_root, signed.result_digest)
    require(told == wanted, "the ledger settled on another run")
    require(settled.record_count == signed.record_count, "the ledger settled on another number of records")
    return f"the ledger settled on this receipt in block {case.facts.settled and case.facts.settled.block_number}"


def session(case: RunCase) -> str:
    """The session stands on the ledger for this study, run, code, root and evidence, before the settlement."""
    registered, vote, signed = case.session, session_vote(case.public.evidence), case.public.signed.receipt
    told = (registered.study, registered.run, registered.measurement, registered.trust_root)
    require(
        told == (vote.study, vote.run, vote.measurement, vote.trust_root), "the session was registered for another run"
    )
    require(registered.evidence == vote.evidence, "the evidence is not what the session was registered with")
    require(registered.session == vote.session == signed.session, "the evidence is another session's")
    require(told == (signed.study, signed.run, signed.measurement, signed.trust_root), "the receipt is of another run")
    placed, settled = case.facts.session, case.facts.settled
    if placed is not None and settled is not None:
        order = [(each.block_number, each.log_index) for each in (placed, settled)]
        require(order[0] < order[1], "the session was registered after the settlement")
    return f"the session was registered in block {placed and placed.block_number} with this evidence"


def votes(case: RunCase) -> str:
    """Enough of the study's keepers, each in good standing then, signed yes to this evidence."""
    evidence, cast = case.public.evidence, case.public.votes
    voters = [check_vote(vote, evidence, case.sessions) for vote in cast]
    require(len(set(voters)) == len(voters), "a keeper's vote is counted twice")
    require(set(voters) <= set(evidence.study.keepers), "a vote is not by one of the study's keepers")
    asked = {nonce.keeper for nonce in evidence.nonces}
    require(set(voters) <= asked, "a keeper voted whose nonce is not in the evidence")
    without = [voter for voter in voters if not case.facts.standing.get(voter)]
    require(not without, f"{', '.join(without)} was not a keeper in good standing at the session's block")
    needed = max(case.facts.vote_threshold, evidence.study.keeper_threshold)
    require(len(voters) >= needed, f"{len(voters)} keepers voted for the session, but {needed} must")
    return f"{len(voters)} keepers in good standing voted for the session; {needed} must"


def measurement(case: RunCase) -> str:
    """The governor had approved the code under its root, as what it says it is, at session and settlement."""
    signed, document = case.public.signed.receipt, case.public.evidence.study
    named = (document.measurement, document.trust_root)
    require((signed.measurement, signed.trust_root) == named, "the receipt is by other code than the study names")
    require(case.funded.measurement == document.measurement, "the study was funded for other code")
    claimed = Approval.SIMULATED if signed.simulated else Approval.GENUINE
    require(
        case.facts.approvals == (claimed, claimed),
        f"the code was not approved for {_HARDWARE[claimed]} at the session's and at the settlement's block",
    )
    return f"code {document.measurement} was approved for {_HARDWARE[claimed]}"


def quote(case: RunCase) -> str:
    """The quote, its certificates and the collateral verify under the study's root, at the session's block."""
    evidence = case.public.evidence
    root = find_root(case.roots, evidence.study.trust_root)
    claims = verify_quote(evidence.quote, parse_kept_collateral(case.public.collateral), root, at=_session_time(case))
    return f"the quote verifies under root {claims.trust_root}, and its platform is {claims.tcb_status.value}"


def enclave(case: RunCase) -> str:
    """What the quote proves is the study's code, and its REPORTDATA binds keys, nonces, study, run and block."""
    appraised = appraise_evidence(
        case.public.evidence,
        parse_kept_collateral(case.public.collateral),
        case.roots,
        case.policy,
        at=_session_time(case),
    )
    return f"the quoted enclave measures {appraised.measurement} and binds this session, study and run"


def simulated(case: RunCase) -> str:
    """Whether hardware was simulated is said, and is what the trust root says."""
    signed = case.public.signed.receipt
    for root in (signed.trust_root, case.public.evidence.study.trust_root):
        require(is_simulated(root) is signed.simulated, "the receipt does not say truly whether hardware was simulated")
    if signed.simulated:
        return "THE HARDWARE WAS SIMULATED: this run shows how the network works, and protected nothing"
    return "the hardware was real: the trust root is Intel's"


def analysis(case: RunCase) -> str:
    """What ran is the analysis with the parameters that the study names."""
    document = case.public.evidence.study
    found = case.public.signed.receipt.analysis_digest
    require(analysis_digest(document) == found, "the receipt is for another analysis, or for other parameters")
    return f"{document.analysis} ran with the parameters that the study names"


def panel(case: RunCase) -> str:
    """The panel whose sites the study is about stood on the ledger before the run began."""
    wanted = case.public.evidence.study.panel
    require(case.facts.panel_published, f"panel {wanted} did not stand on the ledger at the session's block")
    return f"panel {wanted} stands on the ledger"


def consent_block(case: RunCase) -> str:
    """Consent was last looked at in a block of this ledger, between session and settlement."""
    evidence, signed, facts = case.public.evidence, case.public.signed.receipt, case.facts
    for block, wanted in (
        (facts.started_at, evidence.consent_block_hash),
        (facts.consented_at, signed.consent_block_hash),
    ):
        require(
            block is not None and block.hash == wanted, "consent was checked at a block that this ledger does not have"
        )
    if facts.session is None or facts.settled is None:
        raise IntegrityError(
            "audit.consent-block", "session and settlement, between which consent is checked, are missing"
        )
    begun, last = facts.session.block_number, signed.consent_block_number
    require(evidence.consent_block_number <= begun, "the session was registered before the block that it names")
    require(begun <= last, "consent was not checked again after the session was registered")
    require(last <= facts.settled.block_number, "consent was checked after the settlement")
    ended = facts.settled.block_number
    return f"consent was last checked at block {last}, between session ({begun}) and settlement ({ended})"


def _session_time(case: RunCase) -> datetime:
    block = case.facts.session_block
    if block is None:
        raise IntegrityError("audit.session", "the receipt's session is not registered on the ledger")
    return datetime.fromtimestamp(block.timestamp_seconds, UTC)
