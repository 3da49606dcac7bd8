from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from audit.miniature import Miniature
from nebula.attestation.collateral import Collateral, parse_collateral
from nebula.attestation.simulator.collateral import issue_collateral
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.audit.collateral import parse_kept_collateral
from nebula.protocol.errors import IntegrityError, NebulaError
from simulators.sgx import NOW


def to_pem(certificate_der: bytes) -> str:
    return x509.load_der_x509_certificate(certificate_der).public_bytes(Encoding.PEM).decode()


def ignoring_a_bit(collateral: Collateral) -> bytes | None:
    """Say of the first certificate's signature that its last bit does not count; None where that bit is one."""
    first, *_ = x509.load_pem_x509_certificates(collateral.pck_crl_issuer_chain.encode())
    if first.signature[-1] & 1:
        return None
    der = first.public_bytes(Encoding.DER)
    place = len(der) - len(first.signature) - 1
    other = to_pem(der[:place] + b"\x01" + der[place + 1 :])
    whole = collateral.to_bytes()
    told = [to_pem(der).replace("\n", "\\n").encode(), other.replace("\n", "\\n").encode()]
    assert whole.count(told[0]) == 1
    return whole.replace(*told)


def test_a_signature_has_no_bits_that_do_not_count(tmp_path: Path) -> None:
    odd = None
    for attempt in range(64):  # half of all signatures end in a zero bit
        pki = DevelopmentPki.create(tmp_path / str(attempt), at=NOW)
        odd = ignoring_a_bit(issue_collateral(pki, at=NOW))
        if odd is not None:
            break
    assert odd is not None
    with pytest.raises(IntegrityError):
        parse_kept_collateral(odd)


def test_collateral_of_a_run_is_kept_in_its_one_form(miniature: Miniature) -> None:
    raw = miniature.public.collateral
    assert parse_kept_collateral(raw).to_bytes() == raw
    for odd in (raw + b"\n", raw.replace(b'","', b'", "', 1), raw.replace(b"CERTIFICATE", b"CERTIFICATF", 1), b"{}"):
        with pytest.raises(NebulaError):
            parse_kept_collateral(odd)


@pytest.mark.parametrize("name", ["sgx_quote", "tdx_quote"])
def test_intels_own_collateral_has_that_form(shared_data: Path, name: str) -> None:
    genuine = parse_collateral((shared_data / "quotes" / f"{name}_collateral.json").read_bytes())
    assert parse_kept_collateral(genuine.to_bytes()) == genuine
