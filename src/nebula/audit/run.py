"""Audit one run: step 14 of the protocol.

(1) Read what the ledger says, pinned to one block. (2) Make every check, whatever the others say. No check asks the
hub anything, and none believes the file: what it says is compared with the ledger, with signatures, with the quote.
"""

from collections.abc import Iterable

from nebula.attestation.appraisal import AppraisalPolicy
from nebula.attestation.roots import TrustRoot
from nebula.audit import checks_money as money
from nebula.audit import checks_session as session
from nebula.audit.facts import RunCase, RunFacts
from nebula.audit.files import parse_result_file
from nebula.audit.ledger import read_run
from nebula.audit.report import AuditReport, CheckFunction, make_report
from nebula.ledger.client import Network
from nebula.protocol.receipt import PublicRun
from nebula.protocol.result import ResultBundle

RUN_CHECKS: tuple[tuple[str, CheckFunction[RunCase]], ...] = (
    ("study", session.study),
    ("receipt", session.receipt),
    ("statement", session.statement),
    ("settlement", session.settlement),
    ("session", session.session),
    ("votes", session.votes),
    ("measurement", session.measurement),
    ("quote", session.quote),
    ("enclave", session.enclave),
    ("simulated", session.simulated),
    ("analysis", session.analysis),
    ("panel", session.panel),
    ("consent-block", session.consent_block),
    ("payout-root", money.payout_root),
    ("record-count", money.record_count),
    ("amounts", money.amounts),
    ("escrow", money.escrow),
    ("claims", money.claims),
    ("privacy", money.privacy),
)
RESULT_CHECK: tuple[str, CheckFunction[RunCase]] = ("result", money.result)


def audit_run(
    public: PublicRun,
    network: Network,
    roots: Iterable[TrustRoot],
    policy: AppraisalPolicy | None = None,
    *,
    result: bytes | None = None,
) -> AuditReport:
    """Re-compute everything about a run from the ledger and its public file.

    Args:
        public: see :func:`nebula.audit.files.parse_run_file`.
        network: at a node that the auditor trusts, with the contracts' addresses. It must know the past.
        roots: the trust roots that the auditor believes: Intel's, or that of a simulation.
        policy: what is accepted of an enclave; None: up-to-date platforms under ``roots``, with the study's code.
        result: the opened result's bytes, for those who have it.

    Raises:
        UnavailableError: the ledger does not answer, or not about the past.
        RejectedInputError: the result cannot be read.
        IntegrityError: the node is of another chain.
    """
    bundle = None if result is None else parse_result_file(result)
    return check_run(public, read_run(public, network), roots, policy, result=bundle)


def check_run(
    public: PublicRun,
    facts: RunFacts,
    roots: Iterable[TrustRoot],
    policy: AppraisalPolicy | None = None,
    *,
    result: ResultBundle | None = None,
) -> AuditReport:
    """Make every check on facts that were read before. Pure."""
    known = tuple(roots)
    case = RunCase(public, facts, known, policy or audit_policy(public, known), result)
    checks = RUN_CHECKS if result is None else (*RUN_CHECKS, RESULT_CHECK)
    receipt = public.signed.receipt
    return make_report(case, checks, subject=f"run {receipt.run}", simulated=_any_simulated(case), head=facts.head)


def audit_policy(public: PublicRun, roots: tuple[TrustRoot, ...]) -> AppraisalPolicy:
    """Return what an auditor accepts by default. Whether the code was approved is asked of the ledger, not here."""
    return AppraisalPolicy(
        trust_roots=frozenset(root.fingerprint for root in roots),
        measurements=frozenset({public.evidence.study.measurement}),
        production=False,
    )


def _any_simulated(case: RunCase) -> bool:
    """Whether anything at all says that hardware was simulated: when in doubt, say it."""
    known = {root.fingerprint: root.simulated for root in case.roots}
    return case.public.signed.receipt.simulated or known.get(case.public.evidence.study.trust_root, True)
