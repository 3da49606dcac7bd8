"""One accepted form of a signature, and no other."""

from contextlib import suppress

import pytest
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import ORDER, address_of, address_of_secret, keccak256, recover, sign_digest

KEYS = st.integers(1, ORDER - 1).map(lambda scalar: SecretBytes(scalar.to_bytes(32, "big")))
DIGESTS = st.binary(min_size=32, max_size=32)
KEY = SecretBytes(keccak256(b"a key"))
DIGEST = keccak256(b"a message")


def test_keccak256_is_ethereums_and_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@settings(max_examples=40)
@given(key=KEYS, digest=DIGESTS)
def test_who_signed_is_recovered(key: SecretBytes, digest: bytes) -> None:
    signature = sign_digest(key, digest)
    assert recover(digest, signature) == address_of_secret(key)
    assert signature[64] in (27, 28)
    assert int.from_bytes(signature[32:64], "big") <= ORDER // 2


@settings(max_examples=15)
@given(key=KEYS, digest=DIGESTS)
def test_signatures_and_addresses_are_those_of_another_implementation(key: SecretBytes, digest: bytes) -> None:
    other = PrivateKey(key.reveal())
    theirs = other.sign_msg_hash(digest)
    assert sign_digest(key, digest) == theirs.to_bytes()[:64] + bytes([27 + theirs.v])
    assert address_of_secret(key) == Account.from_key(key.reveal()).address.lower()
    assert address_of(other.public_key.to_compressed_bytes()) == address_of_secret(key)
    assert address_of(b"\x04" + other.public_key.to_bytes()) == address_of_secret(key)


@settings(max_examples=40)
@given(bit=st.integers(0, 65 * 8 - 1))
def test_no_bit_of_a_signature_can_be_flipped(bit: int) -> None:
    good = sign_digest(KEY, DIGEST)
    bad = (int.from_bytes(good, "big") ^ 1 << bit).to_bytes(65, "big")
    with suppress(RejectedInputError):
        assert recover(DIGEST, bad) != address_of_secret(KEY)


def mirrored(signature: bytes) -> bytes:
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    ("twist", "code"),
    [
        (mirrored, "signature.high-s"),
        (lambda good: good[:64] + bytes([good[64] - 27]), "signature.v"),
        (lambda good: good[:64] + b"\x1d", "signature.v"),
        (lambda good: good[:64], "signature.length"),
        (lambda good: good + b"\x00", "signature.length"),
        (lambda good: bytes(64) + good[64:], "signature.invalid"),
        (lambda good: b"\xff" * 32 + good[32:], "signature.invalid"),
        (lambda good: good[:32] + bytes(32) + good[64:], "signature.invalid"),
    ],
)
def test_every_other_form_is_refused_with_its_code(twist: object, code: str) -> None:
    assert callable(twist)
    with pytest.raises(RejectedInputError) as refusal:
        recover(DIGEST, twist(sign_digest(KEY, DIGEST)))
    assert refusal.value.code == code


@given(raw=st.binary(max_size=80))
def test_hostile_bytes_are_refused_or_recover_somebody(raw: bytes) -> None:
    with suppress(RejectedInputError):
        assert recover(DIGEST, raw).startswith("0x")


@pytest.mark.parametrize("scalar", [0, ORDER, 2**256 - 1])
def test_what_is_no_key_signs_nothing(scalar: int) -> None:
    with pytest.raises(RejectedInputError, match="no secp256k1 key"):
        sign_digest(SecretBytes(scalar.to_bytes(32, "big")), DIGEST)


def test_what_is_no_digest_or_no_point_is_refused() -> None:
    for digest in (b"", bytes(31), bytes(33)):
        with pytest.raises(RejectedInputError, match="32 bytes"):
            sign_digest(KEY, digest)
    for point in (b"", b"\x02" + b"\xff" * 32, bytes(33), bytes(65)):
        with pytest.raises(RejectedInputError, match="public key"):
            address_of(point)
