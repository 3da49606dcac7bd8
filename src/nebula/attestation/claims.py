"""What a verified quote proves. Only :func:`nebula.attestation.verify.verify_quote` makes these."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nebula.attestation.roots import is_simulated
from nebula.protocol.ids import Hash32


class Tee(StrEnum):
    """The kind of trusted execution environment."""

    SGX = "sgx"
    TDX = "tdx"


class TcbStatus(StrEnum):
    """How Intel judges a platform's security version, in Intel's words."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"
    TD_RELAUNCH_ADVISED = "TDRelaunchAdvised"
    TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = "TDRelaunchAdvisedConfigurationNeeded"


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """What a quote proves, once its signatures and collateral have been verified.

    Attributes:
        tee: which technology; TDX has no signer, product or version, and these are empty there.
        measurement: MRENCLAVE; for TDX the SHA-256 of ``nebula/tdx/1``, a zero byte, MRTD and RTMR0 to RTMR3.
        mr_signer: the key that signed the enclave, 32 bytes.
        product_id: ISVPRODID.
        svn: ISVSVN, the enclave's security version.
        config_id: CONFIGID, 64 bytes (MRCONFIGID, 48 bytes).
        attributes: SGX attributes: 8 bytes of flags, then 8 bytes of XFRM (TDX: the 8 TD attributes).
        report_data: the 64 bytes that the enclave had signed.
        tcb_status: the worse of the platform's and the quoting enclave's status.
        advisories: Intel's advisories that apply, the platform's first.
        tcb_evaluation_number: the smaller of TCB info's and QE identity's.
        fmspc: the platform's family and model, 12 upper-case hex digits.
        ppid: the platform's identifier, lower-case hex.
        trust_root: the fingerprint of the root that all of this chains to.
        valid_until: when the first piece of the collateral expires.
    """

    tee: Tee
    measurement: Hash32
    mr_signer: bytes
    product_id: int
    svn: int
    config_id: bytes
    attributes: bytes
    report_data: bytes
    tcb_status: TcbStatus
    advisories: tuple[str, ...]
    tcb_evaluation_number: int
    fmspc: str
    ppid: str
    trust_root: Hash32
    valid_until: datetime

    @property
    def flags(self) -> int:
        """The first 8 attribute bytes as an integer."""
        return int.from_bytes(self.attributes[:8], "little")

    @property
    def simulated(self) -> bool:
        """Whether the hardware was simulated, by the trust root and nothing else."""
        return is_simulated(self.trust_root)
