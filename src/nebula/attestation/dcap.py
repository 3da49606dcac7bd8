"""The second verifier: dcap-qvl, written by others in another language. Nothing of ours is inside."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dcap_qvl  # type: ignore[import-untyped]  # it ships no py.typed
import msgspec

from nebula.attestation.claims import TcbStatus, Tee, VerifiedClaims
from nebula.attestation.collateral import Collateral
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.roots import TrustRoot
from nebula.protocol.ids import to_hex

_TDX_REPORTS = ("TD10", "TD15", "TD15Ex")


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What dcap-qvl found: its claims document."""

    document: dict[str, Any]

    @property
    def status(self) -> tuple[TcbStatus, tuple[str, ...], int]:
        """TCB status, advisories and evaluation number."""
        tcb = self.document["tcb"]
        return TcbStatus(tcb["status"]), tuple(tcb["advisory_ids"]), tcb["eval_data_number"]

    @property
    def platform(self) -> tuple[str, str]:
        """FMSPC in upper-case and PPID in lower-case hex."""
        pck = self.document["platform"]["pck"]
        return bytes(pck["fmspc"]).hex().upper(), bytes(pck["ppid"]).hex()

    def agrees_with(self, claims: VerifiedClaims) -> bool:
        """Whether the claims of our own SGX verifier say the same in every field that both know."""
        report = self.document["report"].get("SgxEnclave")
        if report is None:
            return False
        ours = (
            (claims.tcb_status, claims.advisories, claims.tcb_evaluation_number),
            (claims.fmspc, claims.ppid),
            (claims.measurement, claims.mr_signer.hex(), claims.product_id, claims.svn),
            (claims.attributes.hex(), claims.report_data.hex()),
        )
        theirs = (
            self.status,
            self.platform,
            ("0x" + report["mr_enclave"], report["mr_signer"], report["isv_prod_id"], report["isv_svn"]),
            (report["attributes"], report["report_data"]),
        )
        return ours == theirs

    def tdx_claims(self, root: TrustRoot, *, valid_until: datetime) -> VerifiedClaims:
        """Return a TDX quote's claims; see :class:`VerifiedClaims` for what stands for the measurement.

        Raises:
            QuoteRejectedError: ``malformed``; the quote is of another technology.
        """
        report = _td_report(self.document["report"])
        status, advisories, evaluation_number = self.status
        fmspc, ppid = self.platform
        return VerifiedClaims(
            tee=Tee.TDX,
            measurement=tdx_measurement(report),
            mr_signer=b"",
            product_id=0,
            svn=0,
            config_id=bytes.fromhex(report["mr_config_id"]),
            attributes=bytes.fromhex(report["td_attributes"]),
            report_data=bytes.fromhex(report["report_data"]),
            tcb_status=status,
            advisories=advisories,
            tcb_evaluation_number=evaluation_number,
            fmspc=fmspc,
            ppid=ppid,
            trust_root=root.fingerprint,
            valid_until=valid_until,
        )


def second_opinion(raw_quote: bytes, collateral: Collateral, root: TrustRoot, *, at: datetime) -> SecondOpinion:
    """Verify a quote with dcap-qvl, which takes no view on what is good enough.

    Raises:
        QuoteRejectedError: ``second-verifier``; dcap-qvl says no.
    """
    now_seconds = int(at.timestamp())
    try:
        claims = dcap_qvl.QuoteVerifier(root.certificate_der).verify_with_policy(
            raw_quote, _to_dcap(collateral), now_seconds, dcap_qvl.QuotePolicy.claims_only(now_seconds)
        )
    except ValueError as error:
        raise QuoteRejectedError("second-verifier", f"dcap-qvl rejects the quote: {error}") from error
    return SecondOpinion(msgspec.json.decode(claims.to_json(), type=dict[str, Any]))


def tdx_measurement(report: dict[str, str]) -> str:
    """Return one 32-byte measurement over a TD's initial contents and its four runtime registers."""
    registers = (report[name] for name in ("mr_td", "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3"))
    return to_hex(hashlib.sha256(b"nebula/tdx/1\x00" + bytes.fromhex("".join(registers))).digest())


def _td_report(reports: dict[str, Any]) -> dict[str, Any]:
    for name in _TDX_REPORTS:
        if name in reports:
            report = reports[name]
            while "base" in report:  # later reports extend earlier ones
                report = report["base"] | report
                report.pop("base")
            return dict(report)
    raise QuoteRejectedError("malformed", "this is not a TDX quote")


def _to_dcap(collateral: Collateral) -> dcap_qvl.QuoteCollateralV3:
    return dcap_qvl.QuoteCollateralV3(
        pck_crl_issuer_chain=collateral.pck_crl_issuer_chain,
        root_ca_crl=collateral.root_crl_der,
        pck_crl=collateral.pck_crl_der,
        tcb_info_issuer_chain=collateral.tcb_info_issuer_chain,
        tcb_info=collateral.tcb_info,
        tcb_info_signature=collateral.tcb_info_signature_bytes,
        qe_identity_issuer_chain=collateral.qe_identity_issuer_chain,
        qe_identity=collateral.qe_identity,
        qe_identity_signature=collateral.qe_identity_signature_bytes,
    )
