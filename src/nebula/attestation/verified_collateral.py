"""Collateral, verified: signed under the trust root by Intel's TCB signer, in date, nothing revoked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
from cryptography import x509

from nebula.attestation.certificates import (
    common_name,
    p256_key,
    parse_chain,
    require_unrevoked,
    verify_chain,
    verify_crl,
    verify_signature,
)
from nebula.attestation.claims import Tee
from nebula.attestation.collateral import Collateral
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.roots import TrustRoot
from nebula.attestation.tcb import QeIdentity, TcbInfo

TCB_SIGNER = "Intel SGX TCB Signing"
PCK_AUTHORITIES = ("SGX PCK Platform CA", "SGX PCK Processor CA")

# What each technology's documents call themselves: TCB info's id and versions, QE identity's id and versions.
_KINDS = {
    Tee.SGX: ("SGX", (3,), "QE", (2,)),
    Tee.TDX: ("TDX", (3,), "TD_QE", (2, 3)),
}

_T = TypeVar("_T", TcbInfo, QeIdentity)
_tcb_info = msgspec.json.Decoder(TcbInfo).decode
_qe_identity = msgspec.json.Decoder(QeIdentity).decode


@dataclass(frozen=True, slots=True)
class VerifiedCollateral:
    """What Intel says today, and the authority whose PCK certificates it speaks of."""

    tcb_info: TcbInfo
    qe_identity: QeIdentity
    pck_authority: x509.Certificate
    pck_crl: x509.CertificateRevocationList
    valid_until: datetime

    @property
    def evaluation_number(self) -> int:
        """The older of the two evaluations."""
        return min(self.tcb_info.tcb_evaluation_data_number, self.qe_identity.tcb_evaluation_data_number)


def verify_collateral(collateral: Collateral, root: TrustRoot, tee: Tee, *, at: datetime) -> VerifiedCollateral:
    """Verify collateral under a trust root.

    Raises:
        QuoteRejectedError: ``crl``, ``crl-issuer``, ``tcb-signer``, ``tcb-info`` or ``qe-identity``.
    """
    root_certificate = root.certificate()
    root_crl = verify_crl(collateral.root_crl_der, root_certificate, at=at, reason="crl")
    require_unrevoked(root_certificate, root_crl, reason="crl")

    authority = _verify_authority(collateral, root, root_crl, at=at)
    pck_crl = verify_crl(collateral.pck_crl_der, authority, at=at, reason="crl")
    signers = _Signers(root, root_crl, at)
    info_id, info_versions, qe_id, qe_versions = _KINDS[tee]
    tcb_info = signers.open(
        _tcb_info,
        collateral.tcb_info,
        collateral.tcb_info_signature_bytes,
        collateral.tcb_info_issuer_chain,
        reason="tcb-info",
    )
    qe_identity = signers.open(
        _qe_identity,
        collateral.qe_identity,
        collateral.qe_identity_signature_bytes,
        collateral.qe_identity_issuer_chain,
        reason="qe-identity",
    )
    _require_kind(tcb_info, info_id, info_versions, reason="tcb-info")
    _require_kind(qe_identity, qe_id, qe_versions, reason="qe-identity")
    return VerifiedCollateral(
        tcb_info=tcb_info,
        qe_identity=qe_identity,
        pck_authority=authority,
        pck_crl=pck_crl,
        valid_until=min(
            tcb_info.next_update,
            qe_identity.next_update,
            *(crl.next_update_utc for crl in (pck_crl, root_crl) if crl.next_update_utc is not None),
        ),
    )


def _verify_authority(
    collateral: Collateral, root: TrustRoot, root_crl: x509.CertificateRevocationList, *, at: datetime
) -> x509.Certificate:
    chain = parse_chain(collateral.pck_crl_issuer_chain.encode(), length=2, reason="crl-issuer")
    if not any(name in common_name(chain[0]) for name in PCK_AUTHORITIES):
        raise QuoteRejectedError("crl-issuer", "the revocation list is not from a PCK authority")
    verify_chain(chain, root, at=at, reason="crl-issuer", authority=True)
    require_unrevoked(chain[0], root_crl, reason="crl-issuer")
    return chain[0]


class _Signers:
    """Opens documents of the TCB signer; a chain that was verified once is not verified again."""

    def __init__(self, root: TrustRoot, root_crl: x509.CertificateRevocationList, at: datetime) -> None:
        self._root, self._root_crl, self._at = root, root_crl, at
        self._verified: dict[str, x509.Certificate] = {}

    def open(self, decode: Callable[[str], _T], text: str, signature: bytes, chain_pem: str, *, reason: str) -> _T:
        signer = self._signer(chain_pem)
        verify_signature(
            p256_key(signer, reason=reason), signature, text.encode(), reason=reason, message_name="the document"
        )
        try:
            document = decode(text)
        except msgspec.DecodeError as error:
            raise QuoteRejectedError(reason, f"the document is malformed: {error}") from error
        if not document.issue_date <= self._at <= document.next_update:
            raise QuoteRejectedError(
                reason,
                f"the document is in date from {document.issue_date} to {document.next_update}, not at {self._at}",
            )
        return document

    def _signer(self, chain_pem: str) -> x509.Certificate:
        if chain_pem in self._verified:
            return self._verified[chain_pem]
        chain = parse_chain(chain_pem.encode(), length=2, reason="tcb-signer")
        # Any leaf under the root could sign: a stolen PCK key must not be able to write TCB info.
        if common_name(chain[0]) != TCB_SIGNER:
            raise QuoteRejectedError("tcb-signer", f"collateral is not signed by '{TCB_SIGNER}'")
        verify_chain(chain, self._root, at=self._at, reason="tcb-signer")
        require_unrevoked(chain[0], self._root_crl, reason="tcb-signer")
        self._verified[chain_pem] = chain[0]
        return chain[0]


def _require_kind(document: TcbInfo | QeIdentity, kind: str, versions: tuple[int, ...], *, reason: str) -> None:
    if document.id != kind or document.version not in versions:
        raise QuoteRejectedError(reason, f"the document is {document.id} {document.version}, not {kind}")
