import stat
from datetime import timedelta
from pathlib import Path

import pytest

from nebula.attestation.certificates import common_name
from nebula.attestation.simulator.collateral import issue_collateral
from nebula.attestation.simulator.pki import ORGANIZATION, DevelopmentPki
from nebula.protocol.errors import RejectedInputError
from simulators.sgx import NOW, SgxHardware


def test_a_pki_that_was_kept_is_the_same_one(tmp_path: Path) -> None:
    made = DevelopmentPki.create(tmp_path / "pki", at=NOW)
    kept = DevelopmentPki.open(tmp_path / "pki", at=NOW + timedelta(days=5))

    assert kept.trust_root == made.trust_root
    assert SgxHardware(kept).quote()[:16] == SgxHardware(made).quote()[:16]
    assert SgxHardware(kept, at=NOW + timedelta(days=5)).claims().simulated


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    DevelopmentPki.create(tmp_path / "pki", at=NOW)
    files = sorted((tmp_path / "pki").iterdir())
    assert len(files) == 8
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_pki_is_never_overwritten(tmp_path: Path) -> None:
    DevelopmentPki.create(tmp_path / "pki", at=NOW)
    with pytest.raises(RejectedInputError):
        DevelopmentPki.create(tmp_path / "pki", at=NOW)


def test_a_pki_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    DevelopmentPki.create(tmp_path / "pki", at=NOW)
    (tmp_path / "pki" / "root.key").unlink()
    with pytest.raises(RejectedInputError):
        DevelopmentPki.open(tmp_path / "pki", at=NOW)


def test_certificates_say_that_they_are_simulated(pki: DevelopmentPki) -> None:
    for name, identity in pki.identities().items():
        text = identity.certificate.subject.rfc4514_string()
        assert "SIMULATED" in ORGANIZATION
        assert ORGANIZATION.split(",")[0] in text
        if name != "tcb-signer":  # verifiers want Intel's own name here, letter by letter
            assert common_name(identity.certificate).startswith("DEVELOPMENT")
            assert "SIMULATED" in common_name(identity.certificate)


def test_collateral_is_issued_new_every_day_and_the_same_all_day(pki: DevelopmentPki) -> None:
    morning, evening = NOW.replace(hour=0), NOW.replace(hour=23)
    assert issue_collateral(pki, at=morning) == issue_collateral(pki, at=evening)
    assert issue_collateral(pki, at=morning) != issue_collateral(pki, at=morning + timedelta(days=1))
