"""Verify quotes. SGX by two verifiers that must agree, TDX by one; whether it is good enough is the appraisal's."""

from datetime import datetime

from nebula.attestation.claims import Tee, VerifiedClaims
from nebula.attestation.collateral import Collateral
from nebula.attestation.dcap import second_opinion
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.quote import SGX_VERSION, quote_version
from nebula.attestation.roots import TrustRoot
from nebula.attestation.sgx import verify_sgx_quote
from nebula.attestation.verified_collateral import verify_collateral
from nebula.protocol.errors import IntegrityError

TDX_VERSION = 4


def verify_quote(raw_quote: bytes, collateral: Collateral, root: TrustRoot, *, at: datetime) -> VerifiedClaims:
    """Verify an SGX or TDX quote and return what it proves.

    In the order of Intel's DCAP guide:
    (1) the certificate chain ends at ``root``; (2) collateral is signed under it, by Intel's TCB signer, in date
    at ``at``, and revokes nothing in the chain; (3) the platform vouches for the quoting enclave, which is Intel's,
    and that one for the attestation key; (4) the key signed the report; (5) the platform reaches a TCB level.
    Two things are never accepted, whatever a policy says: a revoked level and debug mode.

    A quote can be written in more than one way (an ECDSA signature has a twin): never recognise a replay by a
    quote's hash, only by the nonce that REPORTDATA binds.

    Args:
        raw_quote: SGX version 3 or TDX version 4.
        collateral: fetched by the caller itself, never handed over by whoever shows the quote.
        root: the trust root that is asked about.
        at: an aware time.

    Raises:
        QuoteRejectedError: ``reason`` names the first check that failed.
        IntegrityError: the two SGX verifiers disagree.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone is no time")
    version = quote_version(raw_quote)
    if version == SGX_VERSION:
        return _verify_sgx(raw_quote, collateral, root, at=at)
    if version == TDX_VERSION:
        known = verify_collateral(collateral, root, Tee.TDX, at=at)
        opinion = second_opinion(raw_quote, collateral, root, at=at)
        return opinion.tdx_claims(root, valid_until=known.valid_until)
    raise QuoteRejectedError("malformed", f"quotes of version {version} are not known here")


def _verify_sgx(raw_quote: bytes, collateral: Collateral, root: TrustRoot, *, at: datetime) -> VerifiedClaims:
    claims = verify_sgx_quote(raw_quote, collateral, root, at=at)
    try:
        agreed = second_opinion(raw_quote, collateral, root, at=at).agrees_with(claims)
        found = "reads other claims in it"
    except QuoteRejectedError as error:
        agreed, found = False, f"says: {error.message}"
    if not agreed:
        raise IntegrityError(
            "attestation.verifiers-disagree",
            f"our verifier accepts this quote, but the second one {found}",
            hint="keep the quote and its collateral and report them: one of two verifiers is wrong",
        )
    return claims
