import dcap_qvl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.attestation.errors import QuoteRejectedError
from nebula.attestation.quote import SIGNED_BYTES, parse_sgx_quote
from simulators.sgx import MEASUREMENT, REPORT_DATA, Genuine, SgxHardware


def test_a_genuine_quote_is_read_as_dcap_qvl_reads_it(genuine_sgx: Genuine) -> None:
    quote = parse_sgx_quote(genuine_sgx.quote)
    theirs = dcap_qvl.parse_quote(genuine_sgx.quote)

    assert quote.body.mr_enclave == theirs.report.mr_enclave
    assert quote.body.mr_signer == theirs.report.mr_signer
    assert quote.body.attributes == theirs.report.attributes
    assert quote.body.cpu_svn == theirs.report.cpu_svn
    assert quote.body.report_data == b"Hello, world!".ljust(64, b"\0")
    assert quote.pck_chain_pem.removesuffix(b"\0") == theirs.cert_chain_pem_bytes()
    assert (quote.header.qe_svn, quote.header.pce_svn) == (theirs.header.qe_svn, theirs.header.pce_svn)


def test_a_simulated_quote_has_the_form_of_a_genuine_one(hardware: SgxHardware) -> None:
    raw = hardware.quote()
    quote = parse_sgx_quote(raw)
    theirs = dcap_qvl.parse_quote(raw)

    assert "0x" + quote.body.mr_enclave.hex() == MEASUREMENT
    assert quote.body.report_data == REPORT_DATA == theirs.report.report_data
    assert theirs.quote_type() == "SGX"
    assert theirs.ca() == "platform"


def test_a_quote_that_is_cut_off_anywhere_is_rejected(hardware: SgxHardware) -> None:
    raw = hardware.quote()
    for length in range(len(raw)):
        with pytest.raises(QuoteRejectedError) as rejected:
            parse_sgx_quote(raw[:length])
        assert rejected.value.reason == "malformed"


def test_a_quote_with_something_behind_it_is_rejected(genuine_sgx: Genuine) -> None:
    with pytest.raises(QuoteRejectedError):
        parse_sgx_quote(genuine_sgx.quote + b"\0")


def test_reserved_bytes_must_be_zero(genuine_sgx: Genuine) -> None:
    raw = bytearray(genuine_sgx.quote)
    raw[48 + 20] = 1
    with pytest.raises(QuoteRejectedError, match="reserved"):
        parse_sgx_quote(bytes(raw))


@given(st.binary(max_size=2000))
def test_any_bytes_are_parsed_or_rejected(raw: bytes) -> None:
    with pytest.raises(QuoteRejectedError):
        parse_sgx_quote(raw)


@given(st.binary(min_size=SIGNED_BYTES + 4, max_size=3000))
def test_any_bytes_behind_a_good_header_are_parsed_or_rejected(raw: bytes) -> None:
    header = bytes.fromhex("03000200000000000a000f00939a7233f79c4ca9940a0db3957f0607") + bytes(20)
    length = (len(raw) - SIGNED_BYTES - 4).to_bytes(4, "little")
    with pytest.raises(QuoteRejectedError):
        parse_sgx_quote(header + raw[48:SIGNED_BYTES] + length + raw[SIGNED_BYTES + 4 :])
