"""Intel's word on security versions: TCB info (platforms) and QE identity (quoting enclaves).

Source: Intel SGX/TDX Provisioning Certification Service API, version 4. Unknown fields are let through: the
documents are Intel's, are signed, and grow.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from nebula.attestation.claims import TcbStatus
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.pck import Platform
from nebula.attestation.quote import ReportBody

_Svn = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
_Svn16 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class _Intel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what Intel writes."""


class Component(_Intel, frozen=True, kw_only=True):
    """The version of one part of a platform."""

    svn: _Svn


class PlatformTcb(_Intel, frozen=True, kw_only=True, rename=None):
    """The least versions of a TCB level."""

    sgxtcbcomponents: Annotated[tuple[Component, ...], msgspec.Meta(min_length=16, max_length=16)]
    pcesvn: _Svn16

    @property
    def components(self) -> tuple[int, ...]:
        """The 16 component versions."""
        return tuple(component.svn for component in self.sgxtcbcomponents)


class TcbLevel(_Intel, frozen=True, kw_only=True):
    """What holds for platforms at or above some versions."""

    tcb: PlatformTcb
    tcb_status: TcbStatus
    advisories: tuple[str, ...] = msgspec.field(name="advisoryIDs", default=())


class TcbInfo(_Intel, frozen=True, kw_only=True):
    """All TCB levels of one platform family."""

    id: str
    version: int
    issue_date: datetime
    next_update: datetime
    fmspc: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{12}\Z")]
    pce_id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{4}\Z")]
    tcb_evaluation_data_number: int
    tcb_levels: tuple[TcbLevel, ...]


class QeTcb(_Intel, frozen=True, kw_only=True, rename=None):
    """The least version of a quoting enclave's level."""

    isvsvn: _Svn16


class QeLevel(_Intel, frozen=True, kw_only=True):
    """What holds for quoting enclaves at or above some version."""

    tcb: QeTcb
    tcb_status: TcbStatus
    advisories: tuple[str, ...] = msgspec.field(name="advisoryIDs", default=())


class QeIdentity(_Intel, frozen=True, kw_only=True):
    """How Intel's quoting enclave is recognised."""

    id: str
    version: int
    issue_date: datetime
    next_update: datetime
    tcb_evaluation_data_number: int
    miscselect: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{8}\Z")]
    miscselect_mask: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{8}\Z")]
    attributes: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{32}\Z")]
    attributes_mask: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{32}\Z")]
    mrsigner: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{64}\Z")]
    isvprodid: _Svn16
    tcb_levels: tuple[QeLevel, ...]


def match_platform(info: TcbInfo, platform: Platform) -> TcbLevel:
    """Return the highest TCB level that a platform reaches in every component.

    Raises:
        QuoteRejectedError: ``tcb``; the info is for another family, or no level is reached.
    """
    if (info.fmspc, info.pce_id) != (platform.fmspc.hex().upper(), platform.pce_id.hex().upper()):
        raise QuoteRejectedError("tcb", "the TCB info is for another kind of platform")
    # Intel's verifier sorts the levels itself and does not rely on their order in the document.
    levels = sorted(info.tcb_levels, key=lambda level: (level.tcb.components, level.tcb.pcesvn), reverse=True)
    for level in levels:
        reached = all(have >= least for have, least in zip(platform.components, level.tcb.components, strict=True))
        if reached and platform.pce_svn >= level.tcb.pcesvn:
            return level
    raise QuoteRejectedError("tcb", "the platform reaches no TCB level that Intel knows")


def match_quoting_enclave(identity: QeIdentity, report: ReportBody) -> QeLevel:
    """Return the level of a quoting enclave that is the one Intel describes.

    Raises:
        QuoteRejectedError: ``qe-identity``; it is another enclave, in debug mode, or too old.
    """
    checks = {
        "its signer": report.mr_signer == bytes.fromhex(identity.mrsigner),
        "its product": report.product_id == identity.isvprodid,
        "debug mode": not report.debug,
        # The document gives the bytes in the order in which the report holds them.
        "MISCSELECT": _agree(report.misc_select.to_bytes(4, "little"), identity.miscselect, identity.miscselect_mask),
        "attributes": _agree(report.attributes, identity.attributes, identity.attributes_mask),
    }
    for name, holds in checks.items():
        if not holds:
            raise QuoteRejectedError("qe-identity", f"the quoting enclave is not Intel's: {name}")
    for level in identity.tcb_levels:
        if report.svn >= level.tcb.isvsvn:
            return level
    raise QuoteRejectedError("qe-identity", "the quoting enclave is older than any that Intel knows")


def _agree(actual: bytes, expected_hex: str, mask_hex: str) -> bool:
    expected, mask = bytes.fromhex(expected_hex), bytes.fromhex(mask_hex)
    return all(a & m == e & m for a, e, m in zip(actual, expected, mask, strict=True))


_WITH_OUT_OF_DATE_QE = {
    TcbStatus.UP_TO_DATE: TcbStatus.OUT_OF_DATE,
    TcbStatus.SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE,
    TcbStatus.CONFIGURATION_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}


def converge(platform: TcbLevel, quoting_enclave: QeLevel) -> tuple[TcbStatus, tuple[str, ...]]:
    """Return the status and advisories of both together, by the rules of Intel's verifier."""
    status = platform.tcb_status
    if quoting_enclave.tcb_status is TcbStatus.REVOKED:
        status = TcbStatus.REVOKED
    elif quoting_enclave.tcb_status is TcbStatus.OUT_OF_DATE:
        status = _WITH_OUT_OF_DATE_QE.get(status, status)
    return status, tuple(dict.fromkeys(platform.advisories + quoting_enclave.advisories))
