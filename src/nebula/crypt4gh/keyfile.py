"""Crypt4GH key files: the private key's binary format with its pass phrase, and the public key's lines.

A private key is ``c4gh-v1`` and then strings, each with its length in two big-endian bytes: the key derivation's
name; its options (rounds in four bytes, then salt) unless the name is ``none``; the cipher's name; the key, sealed;
and perhaps a comment. All of it stands as base64 between BEGIN and END lines. The format is that of the
reference implementation, which the specification leaves open.
"""

import base64
import binascii
import hashlib
import os
import re
from typing import Final, Literal

import bcrypt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from nebula.crypt4gh.errors import KeyFileError
from nebula.protocol.sealing import KEY_BYTES, SealingKey, require_strong_key
from nebula.protocol.secrets import SecretBytes

Derivation = Literal["scrypt", "bcrypt", "pbkdf2_hmac_sha256"]

MAX_KEY_FILE_BYTES: Final = 16384

_MAGIC = b"c4gh-v1"
_SALT, _NONCE = 16, 12
_ROUNDS: dict[str, int] = {"scrypt": 0, "bcrypt": 100, "pbkdf2_hmac_sha256": 600_000}
_MOST_ROUNDS = {"scrypt": 2**32, "bcrypt": 2_000, "pbkdf2_hmac_sha256": 10_000_000}
_CIPHER = b"chacha20_poly1305"
_ARMOUR = re.compile(
    rb"\A\s*-----BEGIN (?P<label>[A-Z0-9 ]+)-----\r?\n(?P<body>[A-Za-z0-9+/=\s]+?)\r?\n-----END (?P=label)-----\s*\Z"
)


def parse_public_key(text: bytes) -> bytes:
    """Return the 32 bytes of a public key file.

    Raises:
        KeyFileError: it is no Crypt4GH public key, or one of low order.
    """
    key = _unarmour(text, {b"CRYPT4GH PUBLIC KEY"}, "public")
    if len(key) != KEY_BYTES:
        raise KeyFileError("crypt4gh.public-key", f"a public key has {KEY_BYTES} bytes, not {len(key)}")
    return require_strong_key(key)


def format_public_key(public_key: bytes) -> bytes:
    """Return the lines of a public key file."""
    return _armour(b"CRYPT4GH PUBLIC KEY", public_key)


def parse_private_key(text: bytes, passphrase: SecretBytes | None = None) -> SealingKey:
    """Return the key in a private key file.

    Args:
        text: the file, at most 16 KiB.
        passphrase: its UTF-8 bytes; not looked at when the key is not sealed.

    Raises:
        KeyFileError: ``crypt4gh.passphrase`` where it is missing or wrong; other codes for a malformed file.
    """
    labels = {b"CRYPT4GH PRIVATE KEY", b"CRYPT4GH ENCRYPTED PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"}
    fields = _Fields(_unarmour(text, labels, "private"))
    derivation = fields.next()
    options = b"" if derivation == b"none" else fields.next()
    cipher, content = fields.next(), fields.next()
    if (derivation == b"none") != (cipher == b"none"):
        raise _malformed("names a key derivation without a cipher, or the other way round")
    secret = content if cipher == b"none" else _unseal(derivation, options, cipher, content, passphrase)
    if len(secret) != KEY_BYTES:
        raise _malformed(f"holds a key of {len(secret)} bytes")
    return SealingKey.from_secret(SecretBytes(secret))


def format_private_key(
    key: SealingKey, passphrase: SecretBytes | None, *, derivation: Derivation = "scrypt", comment: str | None = None
) -> bytes:
    """Return the lines of a private key file, sealed with a pass phrase (its UTF-8 bytes) or, with None, open.

    Raises:
        KeyFileError: an empty pass phrase, which protects nothing but looks as if it did.
    """
    secret = key.secret.reveal()
    if passphrase is None:
        fields = [b"none", b"none", secret]
    else:
        rounds, salt, nonce = _ROUNDS[derivation], os.urandom(_SALT), os.urandom(_NONCE)
        sealed = ChaCha20Poly1305(_derive(derivation, passphrase, salt, rounds)).encrypt(nonce, secret, None)
        fields = [derivation.encode(), rounds.to_bytes(4, "big") + salt, _CIPHER, nonce + sealed]
    if comment is not None:
        fields.append(comment.encode())
    return _armour(b"CRYPT4GH PRIVATE KEY", _MAGIC + b"".join(len(f).to_bytes(2, "big") + f for f in fields))


class _Fields:
    """Reads the length-prefixed strings of a private key one by one."""

    def __init__(self, raw: bytes) -> None:
        if not raw.startswith(_MAGIC):
            raise _malformed("does not begin with c4gh-v1")
        self._raw, self._at = raw, len(_MAGIC)

    def next(self) -> bytes:
        start = self._at + 2
        end = start + int.from_bytes(self._raw[self._at : start], "big")
        if end > len(self._raw) or start > len(self._raw):
            raise _malformed("is cut short")
        self._at = end
        return self._raw[start:end]


def _unseal(name: bytes, options: bytes, cipher: bytes, content: bytes, passphrase: SecretBytes | None) -> bytes:
    derivation = name.decode("ascii", "replace")
    if derivation not in _ROUNDS or cipher != _CIPHER:
        raise _malformed("is sealed by a method that is not known here")
    rounds, salt = int.from_bytes(options[:4], "big"), options[4:]
    if rounds > _MOST_ROUNDS[derivation] or not salt:
        raise _malformed("asks for a key derivation that would take for ever, or has no salt")
    if passphrase is None:
        raise KeyFileError("crypt4gh.passphrase", "this private key needs its pass phrase")
    try:
        key = ChaCha20Poly1305(_derive(derivation, passphrase, salt, rounds))
        return key.decrypt(content[:_NONCE], content[_NONCE:], None)
    except (InvalidTag, ValueError) as error:
        raise KeyFileError("crypt4gh.passphrase", "the pass phrase does not open this private key") from error


def _derive(derivation: str, passphrase: SecretBytes, salt: bytes, rounds: int) -> bytes:
    if not len(passphrase):
        raise KeyFileError("crypt4gh.passphrase", "the pass phrase is empty")
    if derivation == "scrypt":  # its costs are fixed by the format; the rounds are not used
        return hashlib.scrypt(passphrase.reveal(), salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    if derivation == "bcrypt":
        return bcrypt.kdf(passphrase.reveal(), salt, 32, max(rounds, 1), ignore_few_rounds=True)
    return hashlib.pbkdf2_hmac("sha256", passphrase.reveal(), salt, max(rounds, 1), dklen=32)


def _unarmour(text: bytes, labels: set[bytes], kind: str) -> bytes:
    match = _ARMOUR.match(text) if len(text) <= MAX_KEY_FILE_BYTES else None
    if match is None or match["label"] not in labels:
        raise KeyFileError("crypt4gh.key-file", f"this is no Crypt4GH {kind} key file")
    try:
        return base64.b64decode(b"".join(match["body"].split()), validate=True)
    except binascii.Error as error:
        raise KeyFileError("crypt4gh.key-file", f"the {kind} key file is not base64") from error


def _armour(label: bytes, content: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, base64.b64encode(content), label)


def _malformed(what: str) -> KeyFileError:
    return KeyFileError("crypt4gh.key-file", f"the private key file {what}")
