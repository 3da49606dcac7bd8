"""Genuine quotes of Intel's hardware, and simulated hardware."""

from pathlib import Path

import pytest

from nebula.attestation.collateral import parse_collateral
from nebula.attestation.simulator.pki import DevelopmentPki
from simulators.sgx import NOW, Genuine, SgxHardware


def _genuine(shared_data: Path, name: str) -> Genuine:
    folder = shared_data / "quotes"
    collateral = parse_collateral((folder / f"{name}_collateral.json").read_bytes())
    return Genuine((folder / name).read_bytes(), collateral)


@pytest.fixture(scope="session")
def genuine_sgx(shared_data: Path) -> Genuine:
    return _genuine(shared_data, "sgx_quote")


@pytest.fixture(scope="session")
def genuine_tdx(shared_data: Path) -> Genuine:
    return _genuine(shared_data, "tdx_quote")


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPki:
    return DevelopmentPki.create(tmp_path_factory.mktemp("sgx") / "pki", at=NOW)


@pytest.fixture(scope="session")
def hardware(pki: DevelopmentPki) -> SgxHardware:
    return SgxHardware(pki)
