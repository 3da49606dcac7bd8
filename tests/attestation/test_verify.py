import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.attestation import verify
from nebula.attestation.claims import TcbStatus, Tee
from nebula.attestation.collateral import Collateral
from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.roots import TrustRoot
from nebula.attestation.sgx import verify_sgx_quote
from nebula.attestation.simulator.collateral import OLD_QE_SVN, CollateralFaults
from nebula.attestation.simulator.cpu import EnclaveShape
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.attestation.verify import verify_quote
from nebula.protocol.errors import IntegrityError
from simulators.sgx import MEASUREMENT, NOW, REPORT_DATA, Genuine, SgxHardware

INTEL = TrustRoot.intel()


def rejection(raw_quote: bytes, collateral: Collateral, root: TrustRoot, *, at: datetime) -> str:
    with pytest.raises(QuoteRejectedError) as rejected:
        verify_quote(raw_quote, collateral, root, at=at)
    assert rejected.value.code == f"quote.{rejected.value.reason}"
    return rejected.value.reason


# --- genuine hardware --------------------------------------------------------------------------------


def test_intels_root_is_the_published_one(shared_data: Path) -> None:
    assert INTEL.certificate_der == (shared_data / "quotes" / "TrustedRootCA.der").read_bytes()
    assert not INTEL.simulated


def test_a_genuine_sgx_quote_verifies_under_intels_root(genuine_sgx: Genuine) -> None:
    claims = verify_quote(genuine_sgx.quote, genuine_sgx.collateral, INTEL, at=genuine_sgx.at)

    assert claims.tee is Tee.SGX
    assert claims.tcb_status is TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED
    assert claims.advisories == ("INTEL-SA-00289", "INTEL-SA-00615")
    assert claims.tcb_evaluation_number == 17
    assert claims.fmspc == "00A067110000"
    assert claims.report_data.startswith(b"Hello, world!")
    assert claims.valid_until == datetime(2025, 7, 19, 10, 1, 18, tzinfo=UTC)
    assert not claims.simulated


def test_a_genuine_tdx_quote_verifies_under_intels_root(genuine_tdx: Genuine) -> None:
    claims = verify_quote(genuine_tdx.quote, genuine_tdx.collateral, INTEL, at=genuine_tdx.at)

    assert (claims.tee, claims.tcb_status, claims.advisories) == (Tee.TDX, TcbStatus.UP_TO_DATE, ())
    assert claims.measurement == "0xaa2f73d158a4c94377e74e12c46890a0a1d41f13e4f3ec6fec7fadd7809dbd08"


@pytest.mark.parametrize("days", [-8, 26, 400])
def test_collateral_out_of_date_proves_nothing(genuine_sgx: Genuine, genuine_tdx: Genuine, days: int) -> None:
    for genuine in (genuine_sgx, genuine_tdx):
        at = genuine.at + timedelta(days=days)
        assert rejection(genuine.quote, genuine.collateral, INTEL, at=at) in {"crl", "tcb-info", "qe-identity"}


def test_a_time_without_a_zone_is_refused(genuine_sgx: Genuine) -> None:
    with pytest.raises(ValueError, match="zone"):
        verify_quote(genuine_sgx.quote, genuine_sgx.collateral, INTEL, at=datetime(2025, 6, 25))  # noqa: DTZ001


def test_a_tdx_quote_with_sgx_collateral_is_rejected(genuine_sgx: Genuine, genuine_tdx: Genuine) -> None:
    assert rejection(genuine_tdx.quote, genuine_sgx.collateral, INTEL, at=genuine_tdx.at) == "tcb-info"
    assert rejection(genuine_sgx.quote, genuine_tdx.collateral, INTEL, at=genuine_sgx.at) == "tcb-info"


@settings(max_examples=250, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_bit_of_a_genuine_quote_can_be_flipped(genuine_sgx: Genuine, position: float, bit: int) -> None:
    raw = bytearray(genuine_sgx.quote)
    raw[int(position * len(raw))] ^= 1 << bit
    assert rejection(bytes(raw), genuine_sgx.collateral, INTEL, at=genuine_sgx.at) != "second-verifier"


@pytest.mark.slow
def test_no_byte_of_a_quote_can_be_changed(hardware: SgxHardware) -> None:
    raw, collateral = hardware.quote(), hardware.collateral()
    for index in range(len(raw)):
        changed = raw[:index] + bytes([raw[index] ^ 0x01]) + raw[index + 1 :]
        with pytest.raises(QuoteRejectedError):
            verify_sgx_quote(changed, collateral, hardware.pki.trust_root, at=NOW)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(
        [
            "pck_crl_issuer_chain",
            "root_ca_crl",
            "pck_crl",
            "tcb_info_issuer_chain",
            "tcb_info",
            "tcb_info_signature",
            "qe_identity_issuer_chain",
            "qe_identity",
            "qe_identity_signature",
        ]
    ),
    position=st.floats(0, 1, exclude_max=True),
)
def test_no_character_of_genuine_collateral_can_be_changed(genuine_sgx: Genuine, name: str, position: float) -> None:
    text = getattr(genuine_sgx.collateral, name)
    index = int(position * len(text))
    other = "0" if text[index] != "0" else "1"
    changed = msgspec.structs.replace(genuine_sgx.collateral, **{name: text[:index] + other + text[index + 1 :]})
    rejection(genuine_sgx.quote, changed, INTEL, at=genuine_sgx.at)


# --- simulated hardware ------------------------------------------------------------------------------


def test_a_simulated_quote_verifies_under_its_own_root_and_says_that_it_is_simulated(hardware: SgxHardware) -> None:
    claims = hardware.claims()

    assert (claims.measurement, claims.report_data) == (MEASUREMENT, REPORT_DATA)
    assert (claims.tcb_status, claims.advisories) == (TcbStatus.UP_TO_DATE, ())
    assert claims.simulated


def test_a_simulated_quote_never_verifies_under_intels_root(hardware: SgxHardware, genuine_sgx: Genuine) -> None:
    assert rejection(hardware.quote(), hardware.collateral(), INTEL, at=NOW) == "pck-chain"
    assert rejection(hardware.quote(), genuine_sgx.collateral, INTEL, at=genuine_sgx.at) == "pck-chain"


def test_a_genuine_quote_never_verifies_under_a_development_root(hardware: SgxHardware, genuine_sgx: Genuine) -> None:
    root = hardware.pki.trust_root
    assert rejection(genuine_sgx.quote, genuine_sgx.collateral, root, at=genuine_sgx.at) == "pck-chain"


def test_a_simulated_quote_verifies_under_no_other_development_root(hardware: SgxHardware, tmp_path: Path) -> None:
    other = hardware.but(pki=DevelopmentPki.create(tmp_path / "pki", at=NOW))
    assert rejection(hardware.quote(), hardware.collateral(), other.pki.trust_root, at=NOW) == "pck-chain"
    assert rejection(hardware.quote(), other.collateral(), hardware.pki.trust_root, at=NOW) == "crl"


@pytest.mark.parametrize(
    ("revoked", "reason"), [("pck", "pck-revoked"), ("authority", "crl-issuer"), ("signer", "tcb-signer")]
)
def test_a_revoked_certificate_proves_nothing(hardware: SgxHardware, revoked: str, reason: str) -> None:
    bad = hardware.but(faults=CollateralFaults(revoked=frozenset({revoked})))
    assert rejection(bad.quote(), bad.collateral(), bad.pki.trust_root, at=NOW) == reason


def test_collateral_signed_by_another_leaf_under_the_root_is_rejected(hardware: SgxHardware) -> None:
    # dcap-qvl accepts this: a platform's own key could call itself up to date.
    bad = hardware.but(faults=CollateralFaults(signed_by_pck=True))
    assert rejection(bad.quote(), bad.collateral(), bad.pki.trust_root, at=NOW) == "tcb-signer"


def test_tcb_info_for_another_family_is_rejected(hardware: SgxHardware) -> None:
    bad = hardware.but(faults=CollateralFaults(fmspc=bytes(6)))
    assert rejection(bad.quote(), bad.collateral(), bad.pki.trust_root, at=NOW) == "tcb"


def test_a_revoked_security_version_is_rejected(hardware: SgxHardware) -> None:
    bad = hardware.but(faults=CollateralFaults(tcb_status=TcbStatus.REVOKED))
    assert rejection(bad.quote(), bad.collateral(), bad.pki.trust_root, at=NOW) == "tcb"


def test_an_enclave_in_debug_mode_is_rejected(hardware: SgxHardware) -> None:
    bad = hardware.but(shape=EnclaveShape(debug=True))
    assert rejection(bad.quote(), bad.collateral(), bad.pki.trust_root, at=NOW) == "debug"


def test_an_unknown_quoting_enclave_is_rejected(hardware: SgxHardware) -> None:
    bad = hardware.but(shape=EnclaveShape(qe_svn=OLD_QE_SVN - 1))
    assert rejection(bad.quote(), bad.collateral(), bad.pki.trust_root, at=NOW) == "qe-identity"


@pytest.mark.parametrize(
    ("platform", "together"),
    [
        (TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE),
        (TcbStatus.SW_HARDENING_NEEDED, TcbStatus.OUT_OF_DATE),
        (TcbStatus.CONFIGURATION_NEEDED, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED),
        (TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED),
        (TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE),
        (TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED),
    ],
)
def test_an_old_quoting_enclave_spoils_the_status_of_both(
    hardware: SgxHardware, platform: TcbStatus, together: TcbStatus
) -> None:
    old = hardware.but(faults=CollateralFaults(tcb_status=platform), shape=EnclaveShape(qe_svn=OLD_QE_SVN))
    assert old.claims().tcb_status is together  # the second verifier has agreed


def test_verifiers_that_disagree_raise_an_alarm(hardware: SgxHardware, monkeypatch: pytest.MonkeyPatch) -> None:
    def says_no(*_: object, **__: object) -> None:
        raise QuoteRejectedError("second-verifier", "no")

    monkeypatch.setattr(verify, "second_opinion", says_no)
    with pytest.raises(IntegrityError) as alarm:
        hardware.claims()
    assert alarm.value.code == "attestation.verifiers-disagree"


def test_a_verifier_that_reads_other_claims_raises_an_alarm(
    hardware: SgxHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = verify.second_opinion
    other = hardware.but(measurement="0x" + "00" * 32).quote()
    monkeypatch.setattr(verify, "second_opinion", lambda _, *rest, at: honest(other, *rest, at=at))
    with pytest.raises(IntegrityError, match="reads other claims"):
        hardware.claims()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=5000))
def test_any_bytes_are_rejected(genuine_sgx: Genuine, raw: bytes) -> None:
    rejection(raw, genuine_sgx.collateral, INTEL, at=genuine_sgx.at)
    rejection(b"\x04\x00" + raw, genuine_sgx.collateral, INTEL, at=genuine_sgx.at)


@settings(max_examples=60, deadline=None)
@given(der=st.binary(max_size=300))
def test_any_certificate_in_a_quote_is_rejected_not_a_crash(hardware: SgxHardware, der: bytes) -> None:
    raw = hardware.quote()
    start = raw.find(b"-----BEGIN")
    block = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    chain = block + raw[start:]
    prefix = raw[: start - 4] + len(chain).to_bytes(4, "little")
    changed = prefix + chain
    changed = changed[:432] + (len(changed) - 436).to_bytes(4, "little") + changed[436:]
    assert rejection(changed, hardware.collateral(), hardware.pki.trust_root, at=NOW) == "pck-chain"


def test_a_certificate_of_an_invalid_version_is_rejected_not_a_crash(hardware: SgxHardware) -> None:
    der = hardware.pki.pck.certificate.public_bytes(Encoding.DER)
    bad = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"), 1)
    with pytest.raises(x509.InvalidVersion):
        x509.load_der_x509_certificate(bad)
    raw = hardware.quote()
    start = raw.find(b"-----BEGIN")
    lines = base64.b64encode(bad)
    pem = b"\n".join(lines[i : i + 64] for i in range(0, len(lines), 64))
    chain = b"-----BEGIN CERTIFICATE-----\n" + pem + b"\n-----END CERTIFICATE-----\n"
    chain += raw[start:].split(b"-----END CERTIFICATE-----\n", 1)[1]
    changed = raw[: start - 4] + len(chain).to_bytes(4, "little") + chain
    changed = changed[:432] + (len(changed) - 436).to_bytes(4, "little") + changed[436:]
    assert rejection(changed, hardware.collateral(), hardware.pki.trust_root, at=NOW) == "pck-chain"
