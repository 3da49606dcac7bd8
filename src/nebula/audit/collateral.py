"""The collateral that a run is kept with, in its one form.

Nothing on the ledger commits to it: each keeper judged by its own. So it is believed for the signatures in it alone,
and those cover all of it but one byte each: how many bits of a signature's last byte do not count (X.690, 8.6.2).
Where the last bits happen to be zero, libraries take a certificate with that byte changed for the same one.
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nebula.attestation.certificates import parse_chain, rejecting
from nebula.attestation.collateral import Collateral, parse_collateral
from nebula.audit.report import require

_CHAIN_LENGTH = 2
_REASON = "collateral-form"


def parse_kept_collateral(raw: bytes) -> Collateral:
    """Parse a run's collateral. Whether it can be believed is the verifier's business.

    Raises:
        RejectedInputError: it is none.
        QuoteRejectedError: a certificate or revocation list in it cannot be read.
        IntegrityError: it could be written in another way.
    """
    # SECURITY: anybody's bytes come in here.
    collateral = parse_collateral(raw)
    require(collateral.to_bytes() == raw, "the collateral is not written canonically")
    for pem in (
        collateral.pck_crl_issuer_chain,
        collateral.tcb_info_issuer_chain,
        collateral.qe_identity_issuer_chain,
    ):
        for certificate in parse_chain(pem.encode(), length=_CHAIN_LENGTH, reason=_REASON):
            _require_whole_bytes(certificate.public_bytes(Encoding.DER), certificate.signature)
    for der in (collateral.root_crl_der, collateral.pck_crl_der):
        with rejecting(_REASON, "the revocation list cannot be read"):
            crl = x509.load_der_x509_crl(der)
        _require_whole_bytes(der, crl.signature)
    return collateral


def _require_whole_bytes(der: bytes, signature: bytes) -> None:
    require(der.endswith(b"\x00" + signature), "a signature in the collateral is not written canonically")
