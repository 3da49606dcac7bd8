"""Believe a session: from its evidence to an appraised session, or an error that says why not."""

from collections.abc import Iterable
from datetime import datetime

from nebula.attestation.appraisal import AppraisalPolicy, AppraisedSession, appraise
from nebula.attestation.collateral import Collateral
from nebula.attestation.errors import AppraisalRefusedError
from nebula.attestation.report_data import binding_of, report_data, require_nonce
from nebula.attestation.roots import TrustRoot
from nebula.attestation.verify import verify_quote
from nebula.protocol.ids import Hash32
from nebula.protocol.receipt import Evidence, KeeperNonce


def appraise_evidence(
    evidence: Evidence,
    collateral: Collateral,
    roots: Iterable[TrustRoot],
    policy: AppraisalPolicy,
    *,
    at: datetime,
    own: KeeperNonce | None = None,
) -> AppraisedSession:
    """Verify and appraise a session's evidence, under the root that its study pins.

    Args:
        evidence: what the session shows.
        collateral: fetched by the caller itself (a keeper), or kept with the run (an auditor).
        roots: the roots that the caller knows.
        policy: what the caller accepts.
        at: now, or for an auditor the time of the session's block.
        own: a keeper's own nonce, which must stand in the evidence; an auditor has none.

    Raises:
        QuoteRejectedError: the quote proves nothing.
        AppraisalRefusedError: it proves something else, or the study's root is not among ``roots``.
        NotPermittedError: ``appraisal.nonce``; it is not fresh for this keeper.
        IntegrityError: the two verifiers disagree.
    """
    if own is not None:
        require_nonce(evidence.nonces, keeper=own.keeper, nonce=own.nonce)
    root = find_root(roots, evidence.study.trust_root)
    claims = verify_quote(evidence.quote, collateral, root, at=at)
    session = appraise(claims, policy, expected_report_data=report_data(binding_of(evidence)))
    if session.measurement != evidence.study.measurement:
        raise AppraisalRefusedError("measurement", "the enclave's code is not the one that the study names")
    return session


def find_root(roots: Iterable[TrustRoot], fingerprint: Hash32) -> TrustRoot:
    """Return the root with a fingerprint.

    Raises:
        AppraisalRefusedError: ``trust-root``; it is not among them.
    """
    for root in roots:
        if root.fingerprint == fingerprint:
            return root
    raise AppraisalRefusedError("trust-root", f"the trust root {fingerprint} is not one that is believed here")
