import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nebula.attestation.quoting import GramineQuoter, SimulatedQuotingDevice, open_quoter
from nebula.attestation.simulator.cpu import SimulatedCpu
from nebula.attestation.simulator.device import serving_device
from nebula.protocol.errors import RejectedInputError, UnavailableError
from simulators.sgx import REPORT_DATA, SgxHardware


@pytest.fixture
def gramine(tmp_path: Path) -> Path:
    """The files that Gramine shows; the quote is there already, as no enclave answers the write."""
    (tmp_path / "attestation_type").write_text("dcap")
    (tmp_path / "user_report_data").write_bytes(b"")
    (tmp_path / "quote").write_bytes(b"a quote")
    return tmp_path


@pytest.fixture
def device(tmp_path: Path, hardware: SgxHardware) -> Iterator[Path]:
    folder = tmp_path / ("deep/" * 30) / "device"  # longer than a socket's address may be
    with serving_device(folder, SimulatedCpu(hardware.pki, lambda: hardware.measurement)):
        yield folder


def test_gramine_is_asked_by_its_files(gramine: Path) -> None:
    quoter = open_quoter(gramine)
    assert isinstance(quoter, GramineQuoter)
    assert quoter.get_quote(REPORT_DATA) == b"a quote"
    assert (gramine / "user_report_data").read_bytes() == REPORT_DATA


@pytest.mark.parametrize("kind", ["none", "epid"])
def test_a_device_that_does_not_speak_dcap_is_refused(gramine: Path, kind: str) -> None:
    (gramine / "attestation_type").write_text(kind)
    with pytest.raises(UnavailableError, match=kind):
        open_quoter(gramine)


def test_a_device_that_answers_nothing_is_unavailable(gramine: Path) -> None:
    (gramine / "quote").write_bytes(b"")
    with pytest.raises(UnavailableError):
        open_quoter(gramine).get_quote(REPORT_DATA)
    (gramine / "quote").unlink()
    with pytest.raises(UnavailableError):
        open_quoter(gramine).get_quote(REPORT_DATA)


def test_a_folder_without_a_device_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as away:
        open_quoter(tmp_path)
    assert "gramine-sgx" in away.value.hint


def test_a_simulated_device_answers_at_the_same_interface(device: Path, hardware: SgxHardware) -> None:
    quoter = open_quoter(device)
    assert isinstance(quoter, SimulatedQuotingDevice)
    for report_data in (REPORT_DATA, bytes(64)):
        claims = hardware.claims(quoter.get_quote(report_data))
        assert (claims.report_data, claims.measurement) == (report_data, hardware.measurement)


def test_every_quoter_wants_64_bytes(device: Path, gramine: Path) -> None:
    for folder in (device, gramine):
        with pytest.raises(RejectedInputError):
            open_quoter(folder).get_quote(b"x" * 63)


def test_a_simulated_device_that_is_gone_is_unavailable(device: Path) -> None:
    quoter = open_quoter(device)
    (device / "quote.sock").unlink()
    with pytest.raises(UnavailableError, match="does not quote"):
        quoter.get_quote(REPORT_DATA)


def test_code_that_cannot_be_measured_gets_no_quote(tmp_path: Path, hardware: SgxHardware) -> None:
    def unreadable() -> str:
        raise UnavailableError("simulator.bundle", "gone")

    with (
        serving_device(tmp_path / "device", SimulatedCpu(hardware.pki, unreadable)) as folder,
        pytest.raises(UnavailableError),
    ):
        open_quoter(folder).get_quote(REPORT_DATA)


def test_the_quoting_half_loads_nothing_of_the_verifying_half() -> None:
    code = (
        "import sys, nebula.attestation.quoting, nebula.attestation.report_data;"
        "print(*[m for m in sys.modules if m.split('.')[0] in ('dcap_qvl', 'httpx2', 'litestar', 'numpy')"
        " or m.startswith('nebula.attestation.')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(found) == {"nebula.attestation.quoting", "nebula.attestation.report_data"}
