"""The SGX quote, version 3, ECDSA over P-256, with the PCK certificate chain inside.

Source: Intel SGX ECDSA QuoteLibReference, appendix A. All integers are little-endian. Lengths are strict: every
byte of the input belongs to exactly one field, and reserved bytes are zero.
"""

import struct
from dataclasses import dataclass
from typing import Any

from nebula.attestation.errors import QuoteRejectedError

HEADER_BYTES = 48
REPORT_BYTES = 384
SIGNED_BYTES = HEADER_BYTES + REPORT_BYTES
MAX_QUOTE_BYTES = 20_000
SGX_VERSION = 3
ECDSA_P256 = 2
PCK_CHAIN_PEM = 5
QE_AUTH_BYTES = 32
INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
DEBUG_FLAG = 0x02

HEADER = struct.Struct("<HHIHH16s20s")
REPORT = struct.Struct("<16sI12s16s16s32s32s32s32s64sHHH42s16s64s")
_SIGNATURE = struct.Struct("<64s64s384s64sH")
_CERTIFICATION = struct.Struct("<HI")


@dataclass(frozen=True, slots=True)
class QuoteHeader:
    """The first 48 bytes."""

    version: int
    key_type: int
    tee_type: int
    qe_svn: int
    pce_svn: int
    qe_vendor: bytes
    user_data: bytes


@dataclass(frozen=True, slots=True)
class ReportBody:
    """What the CPU says about one enclave: 384 bytes."""

    cpu_svn: bytes
    misc_select: int
    extended_product_id: bytes
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    config_id: bytes
    product_id: int
    svn: int
    config_svn: int
    family_id: bytes
    report_data: bytes

    @property
    def debug(self) -> bool:
        """Whether the enclave runs in debug mode: its host can read it."""
        return bool(self.attributes[0] & DEBUG_FLAG)


@dataclass(frozen=True, slots=True)
class SgxQuote:
    """A parsed, unverified quote."""

    header: QuoteHeader
    body: ReportBody
    signed: bytes
    signature: bytes
    attestation_key: bytes
    raw_qe_report: bytes
    qe_report: ReportBody
    qe_report_signature: bytes
    qe_auth: bytes
    pck_chain_pem: bytes


def quote_version(raw_quote: bytes) -> int:
    """Return the version that a quote's first two bytes state.

    Raises:
        QuoteRejectedError: it is too short or too long to be a quote.
    """
    if not SIGNED_BYTES < len(raw_quote) <= MAX_QUOTE_BYTES:
        raise QuoteRejectedError("malformed", f"{len(raw_quote):,} bytes are not a quote")
    return int.from_bytes(raw_quote[:2], "little")


def parse_sgx_quote(raw_quote: bytes) -> SgxQuote:
    """Parse an SGX v3 quote.

    Raises:
        QuoteRejectedError: ``malformed``; lengths disagree, reserved bytes are set, or it is of another kind.
    """
    # SECURITY: an attacker's bytes come in here.
    if quote_version(raw_quote) != SGX_VERSION:
        raise QuoteRejectedError("malformed", "this is not an SGX quote of version 3")
    header = _parse_header(raw_quote[:HEADER_BYTES])
    reader = _Reader(raw_quote, SIGNED_BYTES)
    (length,) = reader.take(struct.Struct("<I"))
    if length != len(raw_quote) - reader.position:
        raise QuoteRejectedError("malformed", "the quote is cut off, or something follows it")
    signature, attestation_key, raw_qe_report, qe_signature, auth_length = reader.take(_SIGNATURE)
    if auth_length != QE_AUTH_BYTES:
        raise QuoteRejectedError("malformed", f"the quoting enclave adds {auth_length} bytes, not 32")
    (qe_auth,) = reader.take(struct.Struct(f"{QE_AUTH_BYTES}s"))
    kind, chain_length = reader.take(_CERTIFICATION)
    if kind != PCK_CHAIN_PEM or chain_length != len(raw_quote) - reader.position:
        raise QuoteRejectedError("malformed", "the quote does not end with a PCK certificate chain")
    return SgxQuote(
        header=header,
        body=parse_report(raw_quote[HEADER_BYTES:SIGNED_BYTES]),
        signed=raw_quote[:SIGNED_BYTES],
        signature=signature,
        attestation_key=attestation_key,
        raw_qe_report=raw_qe_report,
        qe_report=parse_report(raw_qe_report),
        qe_report_signature=qe_signature,
        qe_auth=qe_auth,
        pck_chain_pem=raw_quote[reader.position :],
    )


def _parse_header(raw: bytes) -> QuoteHeader:
    header = QuoteHeader(*HEADER.unpack(raw))
    if header.key_type != ECDSA_P256 or header.tee_type != 0 or header.qe_vendor != INTEL_QE_VENDOR:
        raise QuoteRejectedError("malformed", "the quote's header is not that of Intel's ECDSA quoting enclave")
    return header


def parse_report(raw: bytes) -> ReportBody:
    """Parse a report body of exactly 384 bytes.

    Raises:
        QuoteRejectedError: ``malformed``; reserved bytes are set.
    """
    (
        cpu_svn,
        misc_select,
        zero_1,
        extended_product_id,
        attributes,
        mr_enclave,
        zero_2,
        mr_signer,
        zero_3,
        config_id,
        product_id,
        svn,
        config_svn,
        zero_4,
        family_id,
        report_data,
    ) = REPORT.unpack(raw)
    if any(zero_1 + zero_2 + zero_3 + zero_4):
        raise QuoteRejectedError("malformed", "reserved bytes of a report are set")
    return ReportBody(
        cpu_svn=cpu_svn,
        misc_select=misc_select,
        extended_product_id=extended_product_id,
        attributes=attributes,
        mr_enclave=mr_enclave,
        mr_signer=mr_signer,
        config_id=config_id,
        product_id=product_id,
        svn=svn,
        config_svn=config_svn,
        family_id=family_id,
        report_data=report_data,
    )


class _Reader:
    """Takes fixed-size groups off the front; running out is a malformed quote."""

    def __init__(self, raw: bytes, position: int) -> None:
        self._raw = raw
        self.position = position

    def take(self, fields: struct.Struct) -> tuple[Any, ...]:
        end = self.position + fields.size
        if end > len(self._raw):
            raise QuoteRejectedError("malformed", "the quote is cut off")
        values = fields.unpack_from(self._raw, self.position)
        self.position = end
        return values
