import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nebula.attestation.collateral import PccsCollateralSource
from nebula.attestation.quoting import open_quoter
from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.__main__ import main
from nebula.attestation.simulator.bundle import PACKAGE, measure_installed_bundle
from nebula.attestation.verify import verify_quote
from simulators.sgx import REPORT_DATA

Start = Callable[[int], subprocess.Popen[bytes]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package: someone may be working on the original."""
    return shutil.copytree(PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def start(tmp_path: Path, package: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "nebula.attestation.simulator", "serve", "--folder", str(tmp_path)]
        command += ["--port", str(port), "--package", str(package)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        started.append(process)
        assert b"SIMULATED" in process.stderr.readline()  # ready
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def test_hardware_that_was_killed_comes_back_with_the_same_root_and_answers(
    tmp_path: Path, package: Path, start: Start
) -> None:
    roots = set()
    for _ in range(2):
        port = free_port()
        process = start(port)
        at = datetime.now(UTC)
        root = TrustRoot((tmp_path / "root.der").read_bytes())
        quote = open_quoter(tmp_path / "device").get_quote(REPORT_DATA)
        collateral = PccsCollateralSource(f"http://127.0.0.1:{port}").collateral_for(quote, at=at)
        claims = verify_quote(quote, collateral, root, at=at)

        assert claims.measurement == measure_installed_bundle(package)
        assert claims.simulated
        roots.add(root.fingerprint)
        process.kill()
    assert len(roots) == 1


def test_the_measurement_of_an_installation_is_printed(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "--package", str(package)]) == 0
    assert capsys.readouterr().out == measure_installed_bundle(package) + "\n"
