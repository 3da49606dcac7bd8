"""Appraisal: is what a verified quote proves what a policy asks for? Pure, rule by rule."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from nebula.attestation.claims import TcbStatus, Tee, VerifiedClaims
from nebula.attestation.errors import AppraisalRefusedError
from nebula.attestation.quote import DEBUG_FLAG
from nebula.attestation.roots import INTEL_FINGERPRINT
from nebula.protocol.ids import Hash32

REPORT_DATA_BYTES = 64
_SGX_INIT = 0x01
# INIT, MODE64BIT, KSS and AEX-Notify. Provisioning and launch keys have no business in an analysis.
_SGX_ALLOWED_FLAGS = 0x01 | 0x04 | 0x80 | 0x400
_TDX_DEBUG = 0x01


@dataclass(frozen=True, slots=True)
class SignerRule:
    """Any enclave of one product that one key signed, from some security version on."""

    mr_signer: bytes
    product_id: int
    min_svn: int

    def covers(self, claims: VerifiedClaims) -> bool:
        """Whether the enclave is of this product, and new enough."""
        same = (claims.mr_signer, claims.product_id) == (self.mr_signer, self.product_id)
        return claims.tee is Tee.SGX and same and claims.svn >= self.min_svn


@dataclass(frozen=True, slots=True)
class AppraisalPolicy:
    """What a keeper, or an auditor, accepts.

    Attributes:
        trust_roots: fingerprints of the roots that are believed.
        measurements: allowed measurements.
        signers: allowed products, beside the measurements.
        tcb_statuses: allowed TCB statuses.
        advisories: Intel's advisories that are tolerated.
        min_tcb_evaluation_number: the oldest evaluation by Intel that is accepted.
        config_id: the CONFIGID that must be set; empty: all zero.
        platforms: allowed FMSPCs; empty: any.
        production: refuse simulated hardware, whatever ``trust_roots`` says.
    """

    trust_roots: frozenset[Hash32]
    measurements: frozenset[Hash32]
    signers: tuple[SignerRule, ...] = ()
    tcb_statuses: frozenset[TcbStatus] = frozenset({TcbStatus.UP_TO_DATE})
    advisories: frozenset[str] = frozenset()
    min_tcb_evaluation_number: int = 17
    config_id: bytes = b""
    platforms: frozenset[str] = frozenset()
    production: bool = True


def production_policy(measurements: frozenset[Hash32]) -> AppraisalPolicy:
    """Return the policy of a keeper in production: real, up-to-date hardware and these measurements only."""
    return AppraisalPolicy(trust_roots=frozenset({INTEL_FINGERPRINT}), measurements=measurements)


@dataclass(frozen=True, slots=True)
class AppraisedSession:
    """An enclave session that a policy accepts."""

    claims: VerifiedClaims

    @property
    def measurement(self) -> Hash32:
        """Which code."""
        return self.claims.measurement

    @property
    def trust_root(self) -> Hash32:
        """On whose word."""
        return self.claims.trust_root

    @property
    def simulated(self) -> bool:
        """Whether the hardware was simulated."""
        return self.claims.simulated


@dataclass(frozen=True, slots=True)
class _Rule:
    reason: str
    message: str
    holds: Callable[[VerifiedClaims, AppraisalPolicy, bytes], bool]
    hint: str | None = None


def _in_debug(claims: VerifiedClaims) -> bool:
    return bool(claims.flags & (DEBUG_FLAG if claims.tee is Tee.SGX else _TDX_DEBUG))


def _has_allowed_flags(claims: VerifiedClaims) -> bool:
    allowed = claims.flags & _SGX_INIT and not claims.flags & ~_SGX_ALLOWED_FLAGS
    return bool(allowed) or claims.tee is Tee.TDX


def _has_expected_config(claims: VerifiedClaims, policy: AppraisalPolicy) -> bool:
    return claims.config_id == (policy.config_id or bytes(len(claims.config_id)))


def _is_known_code(claims: VerifiedClaims, policy: AppraisalPolicy) -> bool:
    return claims.measurement in policy.measurements or any(rule.covers(claims) for rule in policy.signers)


RULES = (
    _Rule(
        "simulated-hardware",
        "the hardware is simulated, and this policy accepts only real hardware",
        lambda c, p, _: not (p.production and c.simulated),
    ),
    _Rule("trust-root", "the policy does not trust this root", lambda c, p, _: c.trust_root in p.trust_roots),
    _Rule("debug", "the enclave runs in debug mode", lambda c, _p, _r: not _in_debug(c)),
    _Rule("attributes", "the enclave has attributes that it must not have", lambda c, _p, _r: _has_allowed_flags(c)),
    _Rule(
        "measurement",
        "the enclave's code is not one that the policy allows",
        lambda c, p, _: _is_known_code(c, p),
        hint="compare its measurement with the approved ones on the ledger",
    ),
    _Rule(
        "config-id", "the enclave was started with another configuration", lambda c, p, _: _has_expected_config(c, p)
    ),
    _Rule(
        "tcb-status",
        "the platform's security version is not good enough",
        lambda c, p, _: c.tcb_status in p.tcb_statuses,
        hint="the enclave's host needs microcode and firmware updates",
    ),
    _Rule(
        "advisories",
        "an advisory applies to the platform that the policy does not tolerate",
        lambda c, p, _: p.advisories.issuperset(c.advisories),
    ),
    _Rule(
        "tcb-evaluation",
        "the platform was judged by an evaluation that is too old",
        lambda c, p, _: c.tcb_evaluation_number >= p.min_tcb_evaluation_number,
    ),
    _Rule(
        "platform",
        "the policy does not allow this kind of platform",
        lambda c, p, _: not p.platforms or c.fmspc in p.platforms,
    ),
    _Rule(
        "report-data",
        "the quote was made for something else than this session, study or run",
        lambda c, _, expected: len(expected) == REPORT_DATA_BYTES and hmac.compare_digest(c.report_data, expected),
    ),
)


def appraise(claims: VerifiedClaims, policy: AppraisalPolicy, *, expected_report_data: bytes) -> AppraisedSession:
    """Check verified claims against a policy and return the session that they prove.

    Raises:
        AppraisalRefusedError: ``reason`` names the first rule that says no, in the order of :data:`RULES`.
    """
    for rule in RULES:
        if not rule.holds(claims, policy, expected_report_data):
            raise AppraisalRefusedError(rule.reason, rule.message, hint=rule.hint)
    return AppraisedSession(claims)
