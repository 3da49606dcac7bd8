"""Collateral of the development PKI: what Intel would publish about the simulated platform, new every day."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from nebula.attestation.claims import TcbStatus
from nebula.attestation.collateral import Collateral
from nebula.attestation.simulator.pki import PLATFORM, DevelopmentPki, Identity

VALIDITY = timedelta(days=30)
QE_SIGNER = hashlib.sha256(b"Nebula DEVELOPMENT quoting enclave signer (SIMULATED)").digest()
QE_PRODUCT, QE_SVN, OLD_QE_SVN = 1, 8, 6
QE_ATTRIBUTES = bytes.fromhex("1500000000000000e700000000000000")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class CollateralFaults:
    """How the collateral service misbehaves, or what it says about the platform; the default is a good day.

    Attributes:
        tcb_status: of the platform's level.
        advisories: that apply at that level.
        evaluation_number: tcbEvaluationDataNumber of both documents.
        revoked: which certificates are on the lists: ``pck``, ``authority``, ``signer``.
        signed_by_pck: documents are signed by the platform's key, under the same root.
        fmspc: the family that the TCB info is for.
    """

    tcb_status: TcbStatus = TcbStatus.UP_TO_DATE
    advisories: tuple[str, ...] = ()
    evaluation_number: int = 17
    revoked: frozenset[str] = frozenset()
    signed_by_pck: bool = False
    fmspc: bytes = PLATFORM.fmspc


GOOD_DAY = CollateralFaults()


def issue_collateral(pki: DevelopmentPki, *, at: datetime, faults: CollateralFaults = GOOD_DAY) -> Collateral:
    """Return the collateral issued at the beginning of the day (UTC) of ``at``, valid for 30 days.

    Deterministic: two calls on one day give the same bytes.
    """
    issued = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tcb_info = _json(_tcb_info(issued, faults))
    qe_identity = _json(_qe_identity(issued, faults))
    signer = pki.pck if faults.signed_by_pck else pki.signer
    signer_chain = pki.pck_chain_pem if faults.signed_by_pck else pki.signer.pem() + pki.root.pem()
    return Collateral(
        pck_crl_issuer_chain=(pki.authority.pem() + pki.root.pem()).decode(),
        root_ca_crl=_crl(pki.root, [_serial(pki, name) for name in faults.revoked - {"pck"}], issued).hex(),
        pck_crl=_crl(pki.authority, [_serial(pki, name) for name in faults.revoked & {"pck"}], issued).hex(),
        tcb_info_issuer_chain=signer_chain.decode(),
        tcb_info=tcb_info.decode(),
        tcb_info_signature=sign_raw(signer.key, tcb_info).hex(),
        qe_identity_issuer_chain=signer_chain.decode(),
        qe_identity=qe_identity.decode(),
        qe_identity_signature=sign_raw(signer.key, qe_identity).hex(),
    )


def sign_raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return a 64-byte signature r ‖ s over SHA-256 of ``message``."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _tcb_info(issued: datetime, faults: CollateralFaults) -> dict[str, Any]:
    def level(svn: int, pce_svn: int, status: TcbStatus, advisories: tuple[str, ...]) -> dict[str, Any]:
        return {
            "tcb": {"sgxtcbcomponents": [{"svn": svn}] * 16, "pcesvn": pce_svn},
            "tcbDate": "2024-03-13T00:00:00Z",
            "tcbStatus": status.value,
            "advisoryIDs": list(advisories),
        }

    return {
        "id": "SGX",
        "version": 3,
        **_dates(issued),
        "fmspc": faults.fmspc.hex().upper(),
        "pceId": PLATFORM.pce_id.hex().upper(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": faults.evaluation_number,
        "tcbLevels": [
            level(PLATFORM.components[0], PLATFORM.pce_svn, faults.tcb_status, faults.advisories),
            level(PLATFORM.components[0] - 1, PLATFORM.pce_svn - 1, TcbStatus.OUT_OF_DATE, ("INTEL-SA-00615",)),
        ],
    }


def _qe_identity(issued: datetime, faults: CollateralFaults) -> dict[str, Any]:
    def level(svn: int, status: TcbStatus) -> dict[str, Any]:
        return {"tcb": {"isvsvn": svn}, "tcbDate": "2024-03-13T00:00:00Z", "tcbStatus": status.value}

    return {
        "id": "QE",
        "version": 2,
        **_dates(issued),
        "tcbEvaluationDataNumber": faults.evaluation_number,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": QE_SIGNER.hex().upper(),
        "isvprodid": QE_PRODUCT,
        "tcbLevels": [level(QE_SVN, TcbStatus.UP_TO_DATE), level(OLD_QE_SVN, TcbStatus.OUT_OF_DATE)],
    }


def _dates(issued: datetime) -> dict[str, str]:
    return {"issueDate": issued.strftime(_TIME), "nextUpdate": (issued + VALIDITY).strftime(_TIME)}


def _serial(pki: DevelopmentPki, name: str) -> int:
    identities: dict[str, Identity] = {"pck": pki.pck, "authority": pki.authority, "signer": pki.signer}
    return identities[name].certificate.serial_number


def _crl(issuer: Identity, revoked: list[int], issued: datetime) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issued)
        .next_update(issued + VALIDITY)
        .add_extension(x509.CRLNumber(issued.toordinal()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    for serial in sorted(revoked):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _json(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document)
