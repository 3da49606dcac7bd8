"""What a PCK certificate says about its platform: Intel's SGX extension, OID 1.2.840.113741.1.13.1.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, section 1.3.5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509

from nebula.attestation.certificates import rejecting
from nebula.attestation.errors import QuoteRejectedError

SGX_EXTENSION = x509.ObjectIdentifier("1.2.840.113741.1.13.1")
# DER contents of that OID; what stands inside the extension continues it.
_PREFIX = bytes.fromhex("2a864886f84d010d01")
_SEQUENCE, _OID = 0x30, 0x06
_PPID, _TCB, _PCE_ID, _FMSPC = b"\x01", b"\x02", b"\x03", b"\x04"
_COMPONENTS = tuple(bytes([2, index]) for index in range(1, 17))
_PCE_SVN = b"\x02\x11"
_LONG_FORM, _MAX_LENGTH_BYTES = 0x80, 2


@dataclass(frozen=True, slots=True)
class Platform:
    """One CPU at one security version, as its PCK certificate states it."""

    ppid: bytes
    fmspc: bytes
    pce_id: bytes
    components: tuple[int, ...]
    pce_svn: int


def read_platform(pck: x509.Certificate) -> Platform:
    """Read the SGX extension of a PCK certificate.

    Raises:
        QuoteRejectedError: ``pck-extension``; it is missing, malformed, or names something twice.
    """
    with rejecting("pck-extension", "the PCK certificate lacks Intel's extension"):
        value = pck.extensions.get_extension_for_oid(SGX_EXTENSION).value
    if not isinstance(value, x509.UnrecognizedExtension):
        raise QuoteRejectedError("pck-extension", "the PCK certificate's extension cannot be read")
    try:
        fields = _fields(_only(value.value))
        tcb = _fields(fields[_TCB])
        platform = Platform(
            ppid=fields[_PPID],
            fmspc=fields[_FMSPC],
            pce_id=fields[_PCE_ID],
            components=tuple(_integer(tcb[oid], maximum=0xFF) for oid in _COMPONENTS),
            pce_svn=_integer(tcb[_PCE_SVN], maximum=0xFFFF),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise QuoteRejectedError("pck-extension", f"the PCK certificate's extension is malformed: {error}") from error
    if (len(platform.ppid), len(platform.fmspc), len(platform.pce_id)) != (16, 6, 2):
        raise QuoteRejectedError("pck-extension", "the PCK certificate's identifiers have the wrong length")
    return platform


def _fields(sequence: bytes) -> dict[bytes, bytes]:
    """Return contents by the end of their OID; each entry is SEQUENCE { OID, value }."""
    fields: dict[bytes, bytes] = {}
    for tag, entry in _items(sequence):
        (oid_tag, oid), (_, value) = _items(entry)
        if tag != _SEQUENCE or oid_tag != _OID or not oid.startswith(_PREFIX) or oid[len(_PREFIX) :] in fields:
            raise ValueError("an entry is not one of Intel's, or stands twice")
        fields[oid[len(_PREFIX) :]] = value
    return fields


def _only(der: bytes) -> bytes:
    ((tag, content),) = _items(der)
    if tag != _SEQUENCE:
        raise ValueError("not a sequence")
    return content


def _items(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, contents) of the DER values that stand one after the other."""
    position = 0
    while position < len(der):
        tag, length = der[position], der[position + 1]
        position += 2
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            if not 1 <= size <= _MAX_LENGTH_BYTES:
                raise ValueError("a length is not DER")
            length = int.from_bytes(der[position : position + size], "big")
            position += size
        if position + length > len(der):
            raise ValueError("it is cut off")
        yield tag, der[position : position + length]
        position += length


def _integer(content: bytes, *, maximum: int) -> int:
    value = int.from_bytes(content, "big", signed=True)
    if not content or not 0 <= value <= maximum:
        raise ValueError("a version is out of range")
    return value
