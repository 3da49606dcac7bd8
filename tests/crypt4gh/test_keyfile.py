"""Key files come back as they were written, and open with their pass phrase only."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.crypt4gh import KeyFileError
from nebula.crypt4gh.keyfile import format_private_key, format_public_key, parse_private_key, parse_public_key
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

KEY = SealingKey.generate()
PASSPHRASE = SecretBytes("Grüße, Büro".encode())


def armoured(content: bytes, label: str = "CRYPT4GH PRIVATE KEY") -> bytes:
    return f"-----BEGIN {label}-----\n{base64.b64encode(content).decode()}\n-----END {label}-----\n".encode()


def field(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


@pytest.mark.parametrize("derivation", ["scrypt", "bcrypt", "pbkdf2_hmac_sha256"])
@pytest.mark.parametrize("comment", [None, "for the biobank"])
def test_a_sealed_key_opens_with_its_pass_phrase_only(derivation: str, comment: str | None) -> None:
    lines = format_private_key(KEY, PASSPHRASE, derivation=derivation, comment=comment)
    assert parse_private_key(lines, PASSPHRASE) == KEY
    for wrong in (None, SecretBytes(b"wrong"), SecretBytes(b"")):
        with pytest.raises(KeyFileError, match="pass phrase"):
            parse_private_key(lines, wrong)
    assert base64.b64encode(KEY.secret.reveal())[:20] not in lines


def test_an_open_key_needs_no_pass_phrase() -> None:
    lines = format_private_key(KEY, None)
    assert parse_private_key(lines) == parse_private_key(lines, PASSPHRASE) == KEY


def test_sealing_with_an_empty_pass_phrase_is_refused() -> None:
    with pytest.raises(KeyFileError, match="empty"):
        format_private_key(KEY, SecretBytes(b""))


def test_public_keys_come_back() -> None:
    lines = format_public_key(KEY.public_key)
    assert parse_public_key(lines) == KEY.public_key
    assert parse_public_key(lines.replace(b"\n", b"\r\n") + b"\n") == KEY.public_key


def test_a_public_key_of_low_order_or_another_length_is_refused() -> None:
    with pytest.raises(RejectedInputError, match="low order"):
        parse_public_key(format_public_key(bytes(32)))
    with pytest.raises(KeyFileError, match="33"):
        parse_public_key(format_public_key(bytes(33)))


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"ssh-ed25519 AAAA",
        format_public_key(KEY.public_key),
        armoured(b""),
        armoured(b"c4gh-v2"),
        armoured(b"c4gh-v1"),
        armoured(b"c4gh-v1" + field(b"none")),
        armoured(b"c4gh-v1" + field(b"none") + field(b"none") + b"\xff\xffshort"),
        armoured(b"c4gh-v1" + field(b"none") + field(b"none") + field(b"short")),
        armoured(b"c4gh-v1" + field(b"none") + field(b"chacha20_poly1305") + field(bytes(60))),
        armoured(b"c4gh-v1" + field(b"argon2") + field(bytes(20)) + field(b"chacha20_poly1305") + field(bytes(60))),
        armoured(b"c4gh-v1" + field(b"scrypt") + field(bytes(20)) + field(b"aes") + field(bytes(60))),
        armoured(b"c4gh-v1" + field(b"scrypt") + field(bytes(4)) + field(b"chacha20_poly1305") + field(bytes(60))),
        armoured(b"c4gh-v1" + field(b"bcrypt") + field(b"\xff" * 20) + field(b"chacha20_poly1305") + field(bytes(60))),
        armoured(
            b"c4gh-v1"
            + field(b"pbkdf2_hmac_sha256")
            + field(b"\xff" * 20)
            + field(b"chacha20_poly1305")
            + field(bytes(60))
        ),
        armoured(bytes(20_000)),
        format_private_key(KEY, None).replace(b"=", b"*"),
    ],
    ids=len,  # keys are made anew in each process
)
def test_malformed_private_keys_are_refused(lines: bytes) -> None:
    with pytest.raises(KeyFileError):
        parse_private_key(lines, PASSPHRASE)


@given(content=st.binary(max_size=120))
@settings(max_examples=100, deadline=None)
def test_arbitrary_content_is_refused_with_a_typed_error(content: bytes) -> None:
    for lines in (content, armoured(content), armoured(b"c4gh-v1" + field(b"none") + content)):
        with pytest.raises(RejectedInputError):
            parse_private_key(lines, PASSPHRASE)
