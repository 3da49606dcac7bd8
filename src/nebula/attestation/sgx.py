"""Our own verifier of SGX quotes, version 3, over ``cryptography``. See :func:`verify_quote` for the order."""

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nebula.attestation.certificates import (
    common_name,
    p256_key,
    parse_chain,
    rejecting,
    require_unrevoked,
    verify_chain,
    verify_signature,
)
from nebula.attestation.claims import TcbStatus, Tee, VerifiedClaims
from nebula.attestation.collateral import Collateral
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.pck import Platform, read_platform
from nebula.attestation.quote import SgxQuote, parse_sgx_quote
from nebula.attestation.roots import TrustRoot
from nebula.attestation.tcb import converge, match_platform, match_quoting_enclave
from nebula.attestation.verified_collateral import VerifiedCollateral, verify_collateral
from nebula.protocol.ids import to_hex

_PCK_NAME = "SGX PCK Certificate"


def verify_sgx_quote(raw_quote: bytes, collateral: Collateral, root: TrustRoot, *, at: datetime) -> VerifiedClaims:
    """Verify an SGX v3 quote and return what it proves.

    Raises:
        QuoteRejectedError: ``reason`` names the first check that failed.
    """
    quote = parse_sgx_quote(raw_quote)
    chain = parse_chain(quote.pck_chain_pem, length=3, reason="pck-chain")
    verify_chain(chain, root, at=at, reason="pck-chain")  # (1)
    known = verify_collateral(collateral, root, Tee.SGX, at=at)  # (2)
    pck = chain[0]
    _verify_pck(pck, chain[1], known)
    _verify_quoting_enclave(quote, pck)  # (3)
    qe_level = match_quoting_enclave(known.qe_identity, quote.qe_report)
    verify_signature(  # (4)
        _attestation_key(quote), quote.signature, quote.signed, reason="signature", message_name="the enclave's report"
    )
    platform = read_platform(pck)
    status, advisories = converge(match_platform(known.tcb_info, platform), qe_level)  # (5)
    if status is TcbStatus.REVOKED:
        raise QuoteRejectedError("tcb", "Intel has revoked this platform's security version")
    if quote.body.debug:
        raise QuoteRejectedError("debug", "the enclave runs in debug mode: its host can read its memory")
    return _claims(quote, platform, known, root, status=status, advisories=advisories)


def _verify_pck(pck: x509.Certificate, authority: x509.Certificate, known: VerifiedCollateral) -> None:
    """Check the PCK certificate against the list of its own authority."""
    if _PCK_NAME not in common_name(pck):
        raise QuoteRejectedError("pck-chain", "the quote's first certificate is no PCK certificate")
    if _identity(authority) != _identity(known.pck_authority):
        raise QuoteRejectedError("crl-issuer", "the revocation list is from another PCK authority than the quote's")
    require_unrevoked(pck, known.pck_crl, reason="pck-revoked")


def _identity(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    key = p256_key(certificate, reason="crl-issuer")
    return certificate.subject.public_bytes(), key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _verify_quoting_enclave(quote: SgxQuote, pck: x509.Certificate) -> None:
    """Check that the platform vouches for the quoting enclave, and that one for the attestation key."""
    verify_signature(
        p256_key(pck, reason="pck-chain"),
        quote.qe_report_signature,
        quote.raw_qe_report,
        reason="qe-report",
        message_name="the quoting enclave's report",
    )
    vouched = hashlib.sha256(quote.attestation_key + quote.qe_auth).digest() + bytes(32)
    if quote.qe_report.report_data != vouched:
        raise QuoteRejectedError("qe-report", "the quoting enclave does not vouch for this attestation key")


def _attestation_key(quote: SgxQuote) -> ec.EllipticCurvePublicKey:
    with rejecting("signature", "the attestation key is no point on P-256"):
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + quote.attestation_key)


def _claims(
    quote: SgxQuote,
    platform: Platform,
    known: VerifiedCollateral,
    root: TrustRoot,
    *,
    status: TcbStatus,
    advisories: tuple[str, ...],
) -> VerifiedClaims:
    body = quote.body
    return VerifiedClaims(
        tee=Tee.SGX,
        measurement=to_hex(body.mr_enclave),
        mr_signer=body.mr_signer,
        product_id=body.product_id,
        svn=body.svn,
        config_id=body.config_id,
        attributes=body.attributes,
        report_data=body.report_data,
        tcb_status=status,
        advisories=advisories,
        tcb_evaluation_number=known.evaluation_number,
        fmspc=platform.fmspc.hex().upper(),
        ppid=platform.ppid.hex(),
        trust_root=root.fingerprint,
        valid_until=known.valid_until,
    )
