import asyncio
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import dcap_qvl
import httpx2
import pytest
import uvicorn

from nebula.attestation.collateral import INTEL_PCS_URL, Collateral, PccsCollateralSource, parse_collateral
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.simulator.collateral import CollateralFaults, issue_collateral
from nebula.attestation.simulator.pccs import collateral_by_day, pccs_app
from nebula.attestation.verify import verify_quote
from nebula.protocol.errors import RejectedInputError, UnavailableError
from simulators.sgx import NOW, Genuine, SgxHardware

Handler = Callable[[httpx2.Request], httpx2.Response]


class Service:
    """The simulated collateral service as a real server in a thread."""

    def __init__(self, hardware: SgxHardware) -> None:
        self.hardware = hardware
        self.now = NOW
        self.issued = 0
        app = pccs_app(collateral_by_day(self._issue, lambda: self.now), pki=hardware.pki)
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def _issue(self, at: datetime) -> Collateral:
        self.issued += 1
        return issue_collateral(self.hardware.pki, at=at, faults=self.hardware.faults)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def service(hardware: SgxHardware) -> Iterator[Service]:
    running = Service(hardware)
    yield running
    running.stop()


def test_a_keeper_verifies_with_collateral_that_it_fetched_itself(service: Service, hardware: SgxHardware) -> None:
    quote = hardware.quote()
    collateral = PccsCollateralSource(service.url).collateral_for(quote, at=NOW)

    assert collateral == hardware.collateral()
    assert verify_quote(quote, collateral, hardware.pki.trust_root, at=NOW).simulated
    assert parse_collateral(collateral.to_bytes()) == collateral


def test_another_client_finds_the_same_collateral(service: Service, hardware: SgxHardware) -> None:
    async def fetch() -> dcap_qvl.QuoteCollateralV3:
        return await dcap_qvl.get_collateral(service.url, hardware.quote())

    theirs = asyncio.run(fetch())
    ours = hardware.collateral()
    assert theirs.pck_crl == ours.pck_crl_der
    assert theirs.root_ca_crl == ours.root_crl_der
    assert theirs.tcb_info_issuer_chain == ours.tcb_info_issuer_chain
    assert theirs.tcb_info_signature == ours.tcb_info_signature_bytes


def test_collateral_is_kept_for_an_hour_and_then_fetched_again(service: Service, hardware: SgxHardware) -> None:
    source = PccsCollateralSource(service.url)
    quote = hardware.quote()
    first = source.collateral_for(quote, at=NOW)
    service.now = NOW + timedelta(days=1)

    assert source.collateral_for(quote, at=NOW + timedelta(minutes=59)) is first
    renewed = source.collateral_for(quote, at=NOW + timedelta(days=1))
    assert renewed == issue_collateral(hardware.pki, at=NOW + timedelta(days=1))
    assert service.issued == 2


def test_kept_collateral_serves_while_the_service_is_away(hardware: SgxHardware) -> None:
    service = Service(hardware)
    source = PccsCollateralSource(service.url)
    quote = hardware.quote()
    kept = source.collateral_for(quote, at=NOW)
    service.stop()

    assert source.collateral_for(quote, at=NOW + timedelta(hours=2)) == kept
    # But it does not get younger by that.
    with pytest.raises(QuoteRejectedError):
        verify_quote(quote, kept, hardware.pki.trust_root, at=NOW + timedelta(days=31))
    with pytest.raises(UnavailableError) as away:
        PccsCollateralSource(service.url).collateral_for(quote, at=NOW)
    assert away.value.code == "collateral.away"


def answering(handler: Handler) -> PccsCollateralSource:
    client = httpx2.Client(transport=httpx2.MockTransport(handler))
    return PccsCollateralSource("http://pccs.example", client=client)


@pytest.mark.parametrize(
    "handler",
    [
        lambda _: httpx2.Response(404),
        lambda _: httpx2.Response(200, content=b"not collateral"),
        lambda _: httpx2.Response(200, content=b"x" * 2_000_000),
        lambda _: httpx2.Response(200, json={"tcbInfo": {}, "enclaveIdentity": {}, "signature": "00"}),
    ],
)
def test_a_service_that_answers_something_else_is_unavailable(hardware: SgxHardware, handler: Handler) -> None:
    with pytest.raises(UnavailableError):
        answering(handler).collateral_for(hardware.quote(), at=NOW)


def test_intel_is_asked_at_its_own_addresses(genuine_sgx: Genuine) -> None:
    asked = []

    def intel(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        body, headers = _genuine_answer(str(request.url), genuine_sgx.collateral)
        return httpx2.Response(200, content=body, headers=headers)

    client = httpx2.Client(transport=httpx2.MockTransport(intel))
    found = PccsCollateralSource(INTEL_PCS_URL, client=client).collateral_for(genuine_sgx.quote, at=genuine_sgx.at)
    assert found == genuine_sgx.collateral
    assert asked == [
        "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
        "https://api.trustedservices.intel.com/sgx/certification/v4/tcb?fmspc=00A067110000&update=standard",
        "https://api.trustedservices.intel.com/sgx/certification/v4/qe/identity?update=standard",
        "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
    ]


def _genuine_answer(url: str, genuine: Collateral) -> tuple[bytes, dict[str, str]]:
    if "pckcrl" in url:
        return genuine.pck_crl_der, {"SGX-PCK-CRL-Issuer-Chain": urllib.parse.quote(genuine.pck_crl_issuer_chain)}
    if "/tcb" in url:
        body = f'{{"tcbInfo":{genuine.tcb_info},"signature":"{genuine.tcb_info_signature}"}}'
        return body.encode(), {"TCB-Info-Issuer-Chain": urllib.parse.quote(genuine.tcb_info_issuer_chain)}
    if "identity" in url:
        body = f'{{"enclaveIdentity":{genuine.qe_identity},"signature":"{genuine.qe_identity_signature}"}}'
        chain = urllib.parse.quote(genuine.qe_identity_issuer_chain)
        return body.encode(), {"SGX-Enclave-Identity-Issuer-Chain": chain}
    return genuine.root_crl_der, {}


def test_bytes_that_name_no_platform_are_rejected(service: Service) -> None:
    with pytest.raises(QuoteRejectedError):
        PccsCollateralSource(service.url).collateral_for(b"\3\0" * 400, at=NOW)


def test_collateral_with_a_field_too_many_is_refused(hardware: SgxHardware) -> None:
    raw = hardware.collateral().to_bytes()
    with pytest.raises(RejectedInputError):
        parse_collateral(raw[:-1] + b',"pck_certificate_chain":""}')


def test_a_misbehaving_service_changes_nothing_but_the_verdict(hardware: SgxHardware) -> None:
    bad = Service(hardware.but(faults=CollateralFaults(signed_by_pck=True)))
    try:
        collateral = PccsCollateralSource(bad.url).collateral_for(hardware.quote(), at=NOW)
    finally:
        bad.stop()
    with pytest.raises(QuoteRejectedError):
        verify_quote(hardware.quote(), collateral, hardware.pki.trust_root, at=NOW)
