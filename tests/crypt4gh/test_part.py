"""A part is exactly what its manifest describes, or nobody opens it."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.crypt4gh import (
    MalformedFileError,
    NotARecipientError,
    add_recipients,
    data_key_of,
    decrypt,
    decrypt_with_data_key,
    encrypt,
    generate_data_key,
    make_header,
    open_part,
    parse_header,
    part_digest,
    seal_part,
)
from nebula.crypt4gh.header import seal_packets, serialize_header
from nebula.crypt4gh.packets import data_key_payload
from nebula.crypt4gh.segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES
from nebula.protocol.errors import IntegrityError
from nebula.protocol.sealing import SealingKey
from nebula.protocol.sharing import combine_checked, key_digest, split

OWNER = SealingKey.generate()
PLAINTEXT = os.urandom(3 * SEGMENT_BYTES)
PART = seal_part(PLAINTEXT, OWNER.public_key)
HEAD = parse_header(PART.raw).length_bytes
SEGMENTS = [PART.raw[at : at + SEALED_SEGMENT_BYTES] for at in range(HEAD, len(PART.raw), SEALED_SEGMENT_BYTES)]


def reopen(raw: bytes) -> bytes:
    return open_part(raw, PART.data_key, PART.digest, PART.length_bytes)


def test_a_part_opens_with_its_data_key_and_with_its_owner_s() -> None:
    assert reopen(PART.raw) == decrypt(PART.raw, OWNER) == PLAINTEXT
    assert data_key_of(PART.raw, OWNER) == PART.data_key


def test_keepers_shares_open_a_part() -> None:
    shares = split(PART.data_key, 2, 3)
    key = combine_checked(shares[1:], 2, key_digest(PART.data_key)).key
    assert open_part(PART.raw, key, PART.digest, PART.length_bytes) == PLAINTEXT


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 2), (2, 1, 0)])
def test_swapped_and_repeated_segments_pass_every_mac_and_are_refused(order: tuple[int, ...]) -> None:
    raw = PART.raw[:HEAD] + b"".join(SEGMENTS[i] for i in order)
    assert len(decrypt_with_data_key(raw, PART.data_key)) == PART.length_bytes
    with pytest.raises(IntegrityError, match="in order"):
        reopen(raw)


@pytest.mark.parametrize("order", [(0, 1), (1, 2), (), (0, 1, 2, 2)])
def test_dropped_and_added_segments_are_refused_before_anything_is_decrypted(order: tuple[int, ...]) -> None:
    with pytest.raises(IntegrityError, match="has a body of"):
        reopen(PART.raw[:HEAD] + b"".join(SEGMENTS[i] for i in order))


def test_an_older_version_under_the_same_key_is_refused() -> None:
    old = encrypt(b"\0" * len(PLAINTEXT), [OWNER.public_key], data_key=PART.data_key)
    with pytest.raises(IntegrityError):
        reopen(old)


def test_another_person_s_part_is_refused() -> None:
    with pytest.raises(IntegrityError):
        reopen(seal_part(PLAINTEXT, OWNER.public_key).raw)


def test_another_key_digest_or_length_is_refused() -> None:
    for key, digest, length in [
        (generate_data_key(), PART.digest, PART.length_bytes),
        (PART.data_key, part_digest(b""), PART.length_bytes),
        (PART.data_key, PART.digest, PART.length_bytes - 1),
    ]:
        with pytest.raises(IntegrityError):
            open_part(PART.raw, key, digest, length)


def test_what_is_no_crypt4gh_file_is_storage_s_lie() -> None:
    for raw in (b"", b"not a file", PART.raw[:30], PART.raw[:HEAD]):
        with pytest.raises(IntegrityError):
            reopen(raw)


@given(at=st.integers(HEAD, len(PART.raw) - 1), bit=st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_any_flipped_bit_of_a_body_is_refused(at: int, bit: int) -> None:
    with pytest.raises(IntegrityError):
        reopen(PART.raw[:at] + bytes([PART.raw[at] ^ (1 << bit)]) + PART.raw[at + 1 :])


def test_a_rewritten_header_leaves_the_part_what_it_was() -> None:
    other = SealingKey.generate()
    assert reopen(add_recipients(PART.raw, OWNER, [other.public_key])) == PLAINTEXT


def test_edit_lists_and_second_data_keys_are_refused_on_parts() -> None:
    body = PART.raw[HEAD:]
    with pytest.raises(MalformedFileError, match="edit list"):
        data_key_of(make_header([OWNER.public_key], PART.data_key, edits=[0, 5]) + body, OWNER)
    payloads = [data_key_payload(PART.data_key), data_key_payload(generate_data_key())]
    with pytest.raises(MalformedFileError, match="several"):
        data_key_of(serialize_header(seal_packets(payloads, [OWNER.public_key])) + body, OWNER)


def test_only_the_owner_gets_the_data_key() -> None:
    with pytest.raises(NotARecipientError):
        data_key_of(PART.raw, SealingKey.generate())


def test_an_empty_part_is_a_part() -> None:
    part = seal_part(b"", OWNER.public_key)
    assert open_part(part.raw, part.data_key, part.digest, 0) == b""
