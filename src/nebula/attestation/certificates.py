"""Certificate chains and revocation lists, as Intel's verifier wants them.

Chains are short, their length is known, the last certificate *is* the trust root byte for byte, every
signature is ECDSA P-256 with SHA-256. PEM text must be exactly what encoding the certificates again gives:
otherwise one quote could be written in many ways.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.roots import TrustRoot

MAX_CHAIN_BYTES = 16_384
_RAW_SIGNATURE_BYTES = 64

# The library's own errors are no ValueErrors: each must be named, or a hostile certificate is a crash.
_LIBRARY_ERRORS = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.AttributeNotFound,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@contextmanager
def rejecting(reason: str, message: str) -> Iterator[None]:
    """Turn every error of the certificate library into a rejection with this reason."""
    try:
        yield
    except _LIBRARY_ERRORS as error:
        raise QuoteRejectedError(reason, f"{message}: {error or type(error).__name__}") from error


def parse_chain(pem: bytes, *, length: int, reason: str) -> tuple[x509.Certificate, ...]:
    """Parse a chain of exactly ``length`` certificates, leaf first, from canonical PEM.

    A final line feed and a terminating NUL, which Intel's quoting library appends, may be there or not.
    """
    # SECURITY: an attacker's bytes come in here.
    if len(pem) > MAX_CHAIN_BYTES:
        raise QuoteRejectedError(reason, "the certificate chain is too long")
    with rejecting(reason, "the certificate chain cannot be read"):
        chain = tuple(x509.load_pem_x509_certificates(pem))
        canonical = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
        for certificate in chain:
            _read_eagerly(certificate)
    if len(chain) != length:
        raise QuoteRejectedError(reason, f"the chain has {len(chain)} certificates, not {length}")
    if pem.removesuffix(b"\0").removesuffix(b"\n") != canonical.removesuffix(b"\n"):
        raise QuoteRejectedError(reason, "the certificate chain is not written canonically")
    return chain


def _read_eagerly(certificate: x509.Certificate) -> None:
    """Have every field parsed now: the library does it on first use, and would fail in the middle of a check."""
    _ = (
        certificate.serial_number,
        certificate.subject,
        certificate.issuer,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.signature_algorithm_oid,
        certificate.extensions,
        certificate.public_key(),
    )


def verify_chain(
    chain: tuple[x509.Certificate, ...], root: TrustRoot, *, at: datetime, reason: str, authority: bool = False
) -> None:
    """Check that a chain ends at ``root`` and that each certificate is in date and issued by the next.

    ``authority``: whether the first certificate is meant to issue others itself.
    """
    if chain[-1].public_bytes(Encoding.DER) != root.certificate_der:
        raise QuoteRejectedError(reason, "the certificate chain does not end at the trust root")
    with rejecting(reason, "the certificate chain does not hold"):
        for below, (certificate, issuer) in enumerate(pairwise((*chain, chain[-1]))):
            _require_in_date(certificate, at=at, reason=reason)
            # Below an issuer stand the leaf and `path_length` authorities at most.
            authorities_below = below - 1 if issuer is certificate else below
            _verify_issued(certificate, issuer, authorities_below=authorities_below, reason=reason)
        if chain[0].extensions.get_extension_for_class(x509.BasicConstraints).value.ca is not authority:
            raise QuoteRejectedError(reason, "the chain begins with an authority where none belongs, or lacks one")


def _verify_issued(
    certificate: x509.Certificate, issuer: x509.Certificate, *, authorities_below: int, reason: str
) -> None:
    if certificate.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        raise QuoteRejectedError(reason, "a certificate is not signed with ECDSA and SHA-256")
    p256_key(issuer, reason=reason)
    certificate.verify_directly_issued_by(issuer)
    limits = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    too_deep = limits.path_length is not None and limits.path_length < authorities_below
    if not limits.ca or not usage.key_cert_sign or too_deep:
        raise QuoteRejectedError(reason, "a certificate was issued by one that may not issue it")


def _require_in_date(certificate: x509.Certificate, *, at: datetime, reason: str) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise QuoteRejectedError(reason, f"the certificate '{common_name(certificate)}' is not in date")


def verify_crl(raw: bytes, issuer: x509.Certificate, *, at: datetime, reason: str) -> x509.CertificateRevocationList:
    """Parse a DER revocation list; check that ``issuer`` signed it and that it is in date."""
    # SECURITY: an attacker's bytes come in here.
    with rejecting(reason, "the revocation list does not hold"):
        crl = x509.load_der_x509_crl(raw)
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        signed = crl.signature_algorithm_oid == SignatureAlgorithmOID.ECDSA_WITH_SHA256
        signed = signed and crl.is_signature_valid(p256_key(issuer, reason=reason))
        if not signed or not usage.crl_sign or crl.issuer != issuer.subject:
            raise QuoteRejectedError(reason, "the revocation list is not signed by the issuer it belongs to")
        if crl.next_update_utc is None or not crl.last_update_utc <= at <= crl.next_update_utc:
            raise QuoteRejectedError(reason, "the revocation list is not in date")
        return crl


def require_unrevoked(certificate: x509.Certificate, crl: x509.CertificateRevocationList, *, reason: str) -> None:
    """Refuse a certificate that the revocation list names."""
    with rejecting(reason, "the revocation list cannot be read"):
        revoked = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if revoked is not None:
        raise QuoteRejectedError(reason, f"the certificate '{common_name(certificate)}' has been revoked")


def common_name(certificate: x509.Certificate) -> str:
    """Return the one common name of a certificate's subject, or nothing when there is not exactly one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def p256_key(certificate: x509.Certificate, *, reason: str) -> ec.EllipticCurvePublicKey:
    """Return a certificate's public key, which must be on P-256."""
    with rejecting(reason, "the certificate's key cannot be read"):
        key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise QuoteRejectedError(reason, "a certificate's key is not on P-256")
    return key


def verify_signature(
    key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, *, reason: str, message_name: str
) -> None:
    """Check a raw ECDSA signature: r ‖ s, 32 bytes each, big-endian, over SHA-256 of ``message``."""
    with rejecting(reason, f"the signature on {message_name} does not hold"):
        if len(signature) != _RAW_SIGNATURE_BYTES:
            raise InvalidSignature
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
