"""Write Intel's SGX extension of a PCK certificate: the twin of ``nebula.attestation.pck``."""

from nebula.attestation.pck import Platform

_PREFIX = bytes.fromhex("2a864886f84d010d01")
_INTEGER, _OCTETS, _OID, _ENUMERATED, _SEQUENCE = 0x02, 0x04, 0x06, 0x0A, 0x30
_SHORT_FORM = 0x80


def encode_platform(platform: Platform) -> bytes:
    """Return the DER of the extension's value."""
    tcb = b"".join(_entry(bytes([2, index]), _integer(svn)) for index, svn in enumerate(platform.components, start=1))
    tcb += _entry(b"\x02\x11", _integer(platform.pce_svn))
    tcb += _entry(b"\x02\x12", _value(_OCTETS, bytes(platform.components)))
    return _value(
        _SEQUENCE,
        _entry(b"\x01", _value(_OCTETS, platform.ppid))
        + _entry(b"\x02", _value(_SEQUENCE, tcb))
        + _entry(b"\x03", _value(_OCTETS, platform.pce_id))
        + _entry(b"\x04", _value(_OCTETS, platform.fmspc))
        + _entry(b"\x05", _value(_ENUMERATED, b"\x00")),
    )


def _entry(oid_end: bytes, value: bytes) -> bytes:
    return _value(_SEQUENCE, _value(_OID, _PREFIX + oid_end) + value)


def _integer(number: int) -> bytes:
    return _value(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _value(tag: int, content: bytes) -> bytes:
    if len(content) < _SHORT_FORM:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _SHORT_FORM | len(length)]) + length + content
