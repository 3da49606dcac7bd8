"""The simulated collateral service: the routes of Intel's PCS and of a PCCS, API version 4, for SGX."""

import urllib.parse
from collections.abc import Callable
from datetime import datetime

from litestar import Litestar, MediaType, Response, get
from litestar.exceptions import NotFoundException

from nebula.attestation.collateral import Collateral
from nebula.attestation.simulator.pki import PLATFORM, DevelopmentPki

CollateralNow = Callable[[], Collateral]
"""Returns the collateral of today."""

_BASE = "/sgx/certification/v4"
_CRL = "application/pkix-crl"


def pccs_app(collateral_now: CollateralNow, *, pki: DevelopmentPki) -> Litestar:
    """Return the service as an ASGI application.

    Besides Intel's routes, ``/root.der`` gives the trust root that has to be pinned.
    """

    @get(f"{_BASE}/tcb", sync_to_thread=True, summary="TCB info of one family of platforms")
    def tcb(fmspc: str) -> Response[bytes]:
        """Answer the one simulated family; others are unknown."""
        if fmspc.upper() != PLATFORM.fmspc.hex().upper():
            raise NotFoundException(f"no platform {fmspc} is known here")
        now = collateral_now()
        return _signed("tcbInfo", now.tcb_info, now.tcb_info_signature, _chain("TCB-Info", now.tcb_info_issuer_chain))

    @get(f"{_BASE}/qe/identity", sync_to_thread=True, summary="Identity of the quoting enclave")
    def qe_identity() -> Response[bytes]:
        """Answer the simulated quoting enclave's identity."""
        now = collateral_now()
        chain = _chain("SGX-Enclave-Identity", now.qe_identity_issuer_chain)
        return _signed("enclaveIdentity", now.qe_identity, now.qe_identity_signature, chain)

    @get(f"{_BASE}/pckcrl", sync_to_thread=True, summary="Revocation list of the PCK authority")
    def pck_crl(ca: str) -> Response[bytes]:
        """Answer the platform authority's list; there is no processor authority."""
        if ca != "platform":
            raise NotFoundException(f"no authority '{ca}' is known here")
        now = collateral_now()
        return Response(now.pck_crl_der, media_type=_CRL, headers=_chain("SGX-PCK-CRL", now.pck_crl_issuer_chain))

    @get(f"{_BASE}/rootcacrl", sync_to_thread=True, summary="Revocation list of the root, as hex")
    def root_crl() -> Response[bytes]:
        """Answer as Intel's caching service does: hex text."""
        return Response(collateral_now().root_ca_crl.encode(), media_type=_CRL)

    @get("/root.der", sync_to_thread=False, summary="The trust root of this simulated hardware")
    def root() -> Response[bytes]:
        """Answer the certificate that makes everything here believed."""
        return Response(pki.trust_root.certificate_der, media_type="application/pkix-cert")

    return Litestar([tcb, qe_identity, pck_crl, root_crl, root])


def _signed(name: str, body: str, signature: str, headers: dict[str, str]) -> Response[bytes]:
    # Put together by hand: the signature is over the body's very bytes.
    return Response(
        f'{{"{name}":{body},"signature":"{signature}"}}'.encode(), media_type=MediaType.JSON, headers=headers
    )


def _chain(kind: str, pem: str) -> dict[str, str]:
    return {f"{kind}-Issuer-Chain": urllib.parse.quote(pem)}


def collateral_by_day(issue: Callable[[datetime], Collateral], clock: Callable[[], datetime]) -> CollateralNow:
    """Return a function that issues collateral once a day and keeps it until midnight (UTC)."""
    kept: dict[object, Collateral] = {}

    def now() -> Collateral:
        at = clock()
        day = at.date()
        if day not in kept:
            kept.clear()
            kept[day] = issue(at)
        return kept[day]

    return now
