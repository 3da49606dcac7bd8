"""What is sealed opens for one key, in one context, and not otherwise."""

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.sealing import (
    SEALING_OVERHEAD_BYTES,
    SealingKey,
    open_sealed,
    require_strong_key,
    seal,
)
from nebula.protocol.secrets import SecretBytes

INFO, AAD = b"nebula/share/1", b"record 1, part 0"
KEY = SealingKey.generate()

PRIME = 2**255 - 19
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    PRIME - 1,
    PRIME,
    PRIME + 1,
]


@given(plaintext=st.binary(max_size=300), info=st.binary(min_size=1), aad=st.binary(min_size=1))
@settings(max_examples=50, deadline=None)
def test_what_is_sealed_opens_again(plaintext: bytes, info: bytes, aad: bytes) -> None:
    sealed = seal(KEY.public_key, plaintext, info=info, aad=aad)
    assert len(sealed) == len(plaintext) + SEALING_OVERHEAD_BYTES
    assert open_sealed(KEY, sealed, info=info, aad=aad).reveal() == plaintext
    assert open_sealed(KEY.secret, sealed, info=info, aad=aad).reveal() == plaintext


def test_a_secret_can_be_sealed_without_revealing_it_first() -> None:
    sealed = seal(KEY.public_key, SecretBytes(b"share"), info=INFO, aad=AAD)
    assert open_sealed(KEY, sealed, info=INFO, aad=AAD) == SecretBytes(b"share")


def test_sealing_twice_gives_different_bytes() -> None:
    assert seal(KEY.public_key, b"x", info=INFO, aad=AAD) != seal(KEY.public_key, b"x", info=INFO, aad=AAD)


@pytest.mark.parametrize(
    ("info", "aad"),
    [(INFO + b"2", AAD), (INFO, AAD + b"0"), (AAD, INFO), (INFO + AAD[:1], AAD[1:])],
)
def test_nothing_opens_in_another_context(info: bytes, aad: bytes) -> None:
    sealed = seal(KEY.public_key, b"share", info=INFO, aad=AAD)
    with pytest.raises(IntegrityError, match="does not open"):
        open_sealed(KEY, sealed, info=info, aad=aad)


def test_nothing_opens_with_another_key() -> None:
    sealed = seal(KEY.public_key, b"share", info=INFO, aad=AAD)
    with pytest.raises(IntegrityError):
        open_sealed(SealingKey.generate(), sealed, info=INFO, aad=AAD)


def test_no_flipped_byte_and_no_shorter_message_opens() -> None:
    sealed = seal(KEY.public_key, b"share", info=INFO, aad=AAD)
    broken = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    broken += [sealed[:i] for i in range(len(sealed))] + [sealed + b"\0"]
    for message in broken:
        with pytest.raises(IntegrityError):
            open_sealed(KEY, message, info=INFO, aad=AAD)


@pytest.mark.parametrize("point", LOW_ORDER)
@pytest.mark.parametrize("top_bit", [0, 1 << 255])
def test_low_order_keys_are_refused(point: int, top_bit: int) -> None:
    weak = (point | top_bit).to_bytes(32, "little")
    with pytest.raises(RejectedInputError, match="low order"):
        seal(weak, b"share", info=INFO, aad=AAD)
    with pytest.raises(RejectedInputError, match="low order"):
        require_strong_key(weak)
    with pytest.raises(IntegrityError):
        open_sealed(KEY, weak + bytes(40), info=INFO, aad=AAD)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(RejectedInputError):
        seal(bytes(length), b"share", info=INFO, aad=AAD)
    with pytest.raises(RejectedInputError):
        SealingKey.from_secret(SecretBytes(bytes(length)))


def test_a_strong_key_passes() -> None:
    assert require_strong_key(KEY.public_key) == KEY.public_key


@pytest.mark.parametrize(("info", "aad"), [(b"", AAD), (INFO, b"")])
def test_a_context_is_mandatory(info: bytes, aad: bytes) -> None:
    with pytest.raises(RejectedInputError, match="purpose"):
        seal(KEY.public_key, b"share", info=info, aad=aad)


def test_the_layout_is_plain_hpke_with_the_context_as_info() -> None:
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    context = b"".join(len(p).to_bytes(8, "big") + p for p in (b"nebula/sealing/1", INFO, AAD))
    by_hand = suite.encrypt(b"share", KEY._handle.public_key(), context)
    assert open_sealed(KEY, by_hand, info=INFO, aad=AAD).reveal() == b"share"


def test_a_key_does_not_show_when_printed() -> None:
    assert KEY.secret.reveal().hex() not in repr(KEY)
    assert "handle" not in repr(KEY)
    assert SealingKey.from_secret(KEY.secret) == KEY
