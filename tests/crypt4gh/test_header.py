"""A header is understood whole or refused, within fixed limits."""

import io
import struct

import pytest

from nebula.crypt4gh import (
    MalformedFileError,
    NotARecipientError,
    SealedHeader,
    decrypt,
    encrypt,
    open_header,
    parse_header,
    read_header,
)
from nebula.crypt4gh.header import MAX_HEADER_BYTES, MAX_PACKETS, make_header, seal_packets, serialize_header
from nebula.crypt4gh.packets import data_key_payload, edit_list_payload
from nebula.crypt4gh.segments import SEGMENT_BYTES, SegmentCipher
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

OWNER, OTHER = SealingKey.generate(), SealingKey.generate()
FIRST, SECOND = SecretBytes(b"1" * 32), SecretBytes(b"2" * 32)


def header_of(*payloads: bytes) -> SealedHeader:
    return parse_header(serialize_header(seal_packets(payloads, [OWNER.public_key])))


def test_a_header_says_what_was_put_in() -> None:
    raw = make_header([OTHER.public_key, OWNER.public_key], FIRST, edits=(1, 2, 3))
    header = open_header(parse_header(raw), OWNER)
    assert (header.data_keys, header.edits, header.length_bytes) == ((FIRST,), (1, 2, 3), len(raw))


def test_reading_leaves_the_file_at_its_body() -> None:
    file = io.BytesIO(encrypt(b"body", [OWNER.public_key]))
    header = read_header(file)
    assert file.tell() == header.length_bytes
    assert parse_header(file.getvalue()) == header


def test_segments_may_be_made_with_different_data_keys_of_the_header() -> None:
    body = SegmentCipher([FIRST]).seal_body(b"a" * SEGMENT_BYTES) + SegmentCipher([SECOND]).seal_body(b"b")
    packets = seal_packets([data_key_payload(SECOND), data_key_payload(FIRST)], [OWNER.public_key])
    assert decrypt(serialize_header(packets) + body, OWNER) == b"a" * SEGMENT_BYTES + b"b"


def test_padding_after_a_packet_s_content_is_passed_over() -> None:
    header = header_of(data_key_payload(FIRST) + bytes(50), edit_list_payload([4]) + b"padding")
    opened = open_header(header, OWNER)
    assert opened.data_keys == (FIRST,)
    assert opened.edits == (4,)


def test_packets_of_unknown_methods_and_low_order_writers_are_others_business() -> None:
    good = header_of(data_key_payload(FIRST)).packets[0]
    strange = [b"\x07\0\0\0" + good[4:], good[:4] + bytes(32) + good[36:], b"\0\0\0\0short"]
    header = parse_header(serialize_header([*strange, good]))
    assert open_header(header, OWNER).data_keys == (FIRST,)


@pytest.mark.parametrize(
    ("payloads", "code"),
    [
        ([data_key_payload(FIRST), edit_list_payload([1]), edit_list_payload([1])], "crypt4gh.edit-lists"),
        ([data_key_payload(FIRST), b"\x02\0\0\0"], "crypt4gh.packet-type"),
        ([data_key_payload(FIRST), b""], "crypt4gh.packet"),
        ([struct.pack("<II", 0, 1) + bytes(40)], "crypt4gh.method"),
        ([data_key_payload(FIRST), struct.pack("<II", 0, 1) + bytes(40)], "crypt4gh.method"),
        ([data_key_payload(FIRST)[:-1]], "crypt4gh.packet"),
        ([data_key_payload(FIRST), edit_list_payload([1, 2])[:-1]], "crypt4gh.packet"),
        ([data_key_payload(FIRST), b"\x01\0\0\0"], "crypt4gh.packet"),
        ([data_key_payload(FIRST), b"\x01\0\0\0\xff\xff\xff\xff"], "crypt4gh.packet"),
    ],
)
def test_what_is_not_understood_is_refused(payloads: list[bytes], code: str) -> None:
    with pytest.raises(MalformedFileError) as caught:
        open_header(header_of(*payloads), OWNER)
    assert caught.value.code == code


def test_an_edit_list_alone_makes_no_recipient() -> None:
    with pytest.raises(NotARecipientError):
        open_header(header_of(edit_list_payload([1])), OWNER)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"crypt4gh\x01\0\0\0",
        b"crypt4gh\x01\0\0\0\0\0\0\0",
        b"crypt4gh\x01\0\0\0" + (MAX_PACKETS + 1).to_bytes(4, "little"),
        b"crypt4gh\x01\0\0\0\xff\xff\xff\xff",
        b"crypt4gh\x01\0\0\0\x01\0\0\0",
        b"crypt4gh\x01\0\0\0\x01\0\0\0\0\0\0\0",
        b"crypt4gh\x01\0\0\0\x01\0\0\0\x07\0\0\0",
        b"crypt4gh\x01\0\0\0\x01\0\0\0\xff\xff\xff\xff" + bytes(100),
        b"crypt4gh\x01\0\0\0\x01\0\0\0" + (MAX_HEADER_BYTES).to_bytes(4, "little") + bytes(100),
        b"crypt4gh\x01\0\0\0\x01\0\0\0\x80\0\0\0" + bytes(100),
    ],
)
def test_headers_cut_short_or_past_the_limits_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedFileError):
        parse_header(raw)
    with pytest.raises(MalformedFileError):
        read_header(io.BytesIO(raw))
