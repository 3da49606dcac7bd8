"""The simulated CPU and its quoting enclave: quotes with the bytes of the real thing."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nebula.attestation.quote import (
    DEBUG_FLAG,
    ECDSA_P256,
    HEADER,
    INTEL_QE_VENDOR,
    PCK_CHAIN_PEM,
    REPORT,
    SGX_VERSION,
)
from nebula.attestation.simulator.collateral import QE_ATTRIBUTES, QE_PRODUCT, QE_SIGNER, QE_SVN, sign_raw
from nebula.attestation.simulator.pki import PLATFORM, DevelopmentPki
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Hash32, to_bytes

REPORT_DATA_BYTES = 64
ENCLAVE_SIGNER = hashlib.sha256(b"Nebula DEVELOPMENT enclave signer (SIMULATED)").digest()
_FLAGS = 0x01 | 0x04  # INIT, MODE64BIT
_XFRM = 0xE7

Measure = Callable[[], Hash32]
"""Measures the code of the enclave that asks for a quote."""


@dataclass(frozen=True, slots=True)
class EnclaveShape:
    """What the CPU reports of an enclave beside its measurement; tests bend it."""

    debug: bool = False
    flags: int = _FLAGS
    mr_signer: bytes = ENCLAVE_SIGNER
    product_id: int = 1
    svn: int = 1
    config_id: bytes = bytes(64)
    qe_svn: int = QE_SVN

    @property
    def attributes(self) -> bytes:
        """Flags and XFRM, 8 bytes each."""
        flags = self.flags | (DEBUG_FLAG if self.debug else 0)
        return flags.to_bytes(8, "little") + _XFRM.to_bytes(8, "little")


@dataclass(frozen=True, slots=True)
class SimulatedCpu:
    """One CPU that runs one enclave, whose code it measures when a quote is asked for."""

    pki: DevelopmentPki
    measure: Measure
    shape: EnclaveShape = EnclaveShape()
    attestation_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def quote(self, report_data: bytes) -> bytes:
        """Return a quote, SGX version 3, over 64 bytes.

        Raises:
            RejectedInputError: these are not 64 bytes.
            UnavailableError: the code cannot be measured.
        """
        if len(report_data) != REPORT_DATA_BYTES:
            raise RejectedInputError("quoting.report-data", f"REPORTDATA has 64 bytes, not {len(report_data)}")
        shape = self.shape
        signed = HEADER.pack(
            SGX_VERSION, ECDSA_P256, 0, shape.qe_svn, PLATFORM.pce_svn, INTEL_QE_VENDOR, bytes(20)
        ) + _report(
            attributes=shape.attributes,
            mr_enclave=to_bytes(self.measure()),
            mr_signer=shape.mr_signer,
            config_id=shape.config_id,
            product_id=shape.product_id,
            svn=shape.svn,
            report_data=report_data,
        )
        signature = sign_raw(self.attestation_key, signed) + self._vouch()
        return signed + len(signature).to_bytes(4, "little") + signature

    def _vouch(self) -> bytes:
        """Return what follows the quote's signature: key, quoting enclave's report, certificates."""
        point = self.attestation_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        qe_auth = secrets.token_bytes(32)
        qe_report = _report(
            attributes=QE_ATTRIBUTES,
            mr_enclave=hashlib.sha256(b"Nebula DEVELOPMENT quoting enclave (SIMULATED)").digest(),
            mr_signer=QE_SIGNER,
            config_id=bytes(64),
            product_id=QE_PRODUCT,
            svn=self.shape.qe_svn,
            report_data=hashlib.sha256(point[1:] + qe_auth).digest() + bytes(32),
        )
        chain = self.pki.pck_chain_pem + b"\0"
        return (
            point[1:]
            + qe_report
            + sign_raw(self.pki.pck.key, qe_report)
            + len(qe_auth).to_bytes(2, "little")
            + qe_auth
            + PCK_CHAIN_PEM.to_bytes(2, "little")
            + len(chain).to_bytes(4, "little")
            + chain
        )


def _report(
    *,
    attributes: bytes,
    mr_enclave: bytes,
    mr_signer: bytes,
    config_id: bytes,
    product_id: int,
    svn: int,
    report_data: bytes,
) -> bytes:
    cpu_svn = bytes(PLATFORM.components)
    return REPORT.pack(
        cpu_svn,
        0,
        bytes(12),
        bytes(16),
        attributes,
        mr_enclave,
        bytes(32),
        mr_signer,
        bytes(32),
        config_id,
        product_id,
        svn,
        0,
        bytes(42),
        bytes(16),
        report_data,
    )
