"""Other implementations' files open here, and ours there."""

import base64
import contextlib
import gzip
import io
from pathlib import Path

import pytest
from crypt4gh.keys import c4gh as peer_keys

from crypt4gh import SEGMENT_SIZE
from crypt4gh import header as peer_header
from crypt4gh import lib as peer
from nebula.crypt4gh import (
    NotARecipientError,
    decrypt,
    decrypt_stream,
    encrypt,
    encrypt_stream,
    make_header,
    parse_header,
    reencrypt,
)
from nebula.crypt4gh.keyfile import format_private_key, format_public_key, parse_private_key, parse_public_key
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

ALICE, BOB = SealingKey.generate(), SealingKey.generate()
LENGTHS = [0, 1, SEGMENT_SIZE - 1, SEGMENT_SIZE, SEGMENT_SIZE + 1, 3 * SEGMENT_SIZE + 17]
FILES = ["spec-v4.3.vcf.gz.c4gh", "sample1-bcbio-cancer.vcf.gz.c4gh"]


def content(length: int) -> bytes:
    return bytes(i * 131 % 251 for i in range(length))


def peer_encrypt(plaintext: bytes, recipient: bytes) -> bytes:
    sink = io.BytesIO()
    peer.encrypt([(0, SealingKey.generate().secret.reveal(), recipient)], io.BytesIO(plaintext), sink)
    return sink.getvalue()


def peer_decrypt(raw: bytes, reader: SealingKey) -> bytes:
    sink = io.BytesIO()
    peer.decrypt([(0, reader.secret.reveal(), None)], io.BytesIO(raw), sink)
    return sink.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_files_of_the_rust_implementation_decrypt(shared_data: Path, name: str) -> None:
    folder = shared_data / "crypt4gh"
    raw = (folder / name).read_bytes()
    opened = []
    for who in ("alice", "bob"):
        key = parse_private_key((folder / "keys" / f"{who}.sec").read_bytes())
        assert key.public_key == parse_public_key((folder / "keys" / f"{who}.pub").read_bytes())
        with contextlib.suppress(NotARecipientError):
            opened.append(decrypt(raw, key))
    assert opened
    assert gzip.decompress(opened[0]).startswith(b"##fileformat=VCF")


@pytest.mark.parametrize("length", LENGTHS)
def test_the_reference_implementation_s_files_open_here(length: int) -> None:
    raw = peer_encrypt(content(length), ALICE.public_key)
    assert decrypt(raw, ALICE) == content(length)
    sink = io.BytesIO()
    assert decrypt_stream(io.BytesIO(raw), sink, ALICE) == length
    assert sink.getvalue() == content(length)


@pytest.mark.parametrize("length", LENGTHS)
def test_our_files_open_with_the_reference_implementation(length: int) -> None:
    raw = encrypt(content(length), [BOB.public_key, ALICE.public_key])
    assert peer_decrypt(raw, ALICE) == peer_decrypt(raw, BOB) == content(length)
    sink = io.BytesIO()
    encrypt_stream(io.BytesIO(content(length)), sink, [BOB.public_key])
    assert peer_decrypt(sink.getvalue(), BOB) == content(length)


def test_our_rewritten_headers_open_with_the_reference_implementation_and_its_here() -> None:
    raw = peer_encrypt(content(100_000), ALICE.public_key)
    assert peer_decrypt(reencrypt(raw, ALICE, [BOB.public_key]), BOB) == content(100_000)
    sink = io.BytesIO()
    keys = [(0, ALICE.secret.reveal(), None)]
    peer.reencrypt(keys, [(0, ALICE.secret.reveal(), BOB.public_key)], io.BytesIO(raw), sink)
    assert decrypt(sink.getvalue(), BOB) == content(100_000)


@pytest.mark.parametrize(("offset", "span"), [(0, 10), (100, 70_000), (65_536, 65_536), (70_000, None)])
def test_the_reference_implementation_s_edit_lists_are_applied(offset: int, span: int | None) -> None:
    raw = peer_encrypt(content(200_000), ALICE.public_key)
    sink = io.BytesIO()
    keys = [(0, ALICE.secret.reveal(), ALICE.public_key)]
    peer.rearrange(keys, io.BytesIO(raw), sink, offset=offset, span=span)
    expected = content(200_000)[offset : None if span is None else offset + span]
    assert decrypt(sink.getvalue(), ALICE) == expected


def test_our_edit_lists_are_what_the_reference_implementation_parses() -> None:
    raw = make_header([ALICE.public_key], SecretBytes(bytes(32)), edits=(3, 5, 7))
    packets = peer_header.parse(io.BytesIO(raw))
    opened, ignored = peer_header.decrypt(packets, [(0, ALICE.secret.reveal(), None)])
    assert not ignored
    _, edits = peer_header.partition_packets(opened)
    assert bytes(edits)[4:] == b"".join(n.to_bytes(8, "little") for n in (3, 5, 7))
    assert len(parse_header(raw).packets) == 2


@pytest.mark.parametrize("derivation", ["scrypt", "bcrypt", "pbkdf2_hmac_sha256"])
def test_our_private_keys_open_with_the_reference_implementation(derivation: str) -> None:
    lines = format_private_key(ALICE, SecretBytes(b"pass phrase"), derivation=derivation, comment="alice")
    assert peer_private_key(lines) == ALICE.secret.reveal()


def test_the_reference_implementation_s_private_keys_open_here(tmp_path: Path) -> None:
    peer_keys.generate(tmp_path / "sec", tmp_path / "pub", b"pass phrase", b"a comment")
    key = parse_private_key((tmp_path / "sec").read_bytes(), SecretBytes(b"pass phrase"))
    assert key.public_key == parse_public_key((tmp_path / "pub").read_bytes())
    assert format_public_key(key.public_key) == (tmp_path / "pub").read_bytes()


def peer_private_key(lines: bytes) -> bytes:
    stream = io.BytesIO(base64.b64decode(lines.splitlines()[1]))
    assert stream.read(7) == peer_keys.MAGIC_WORD
    return bytes(peer_keys.parse_private_key(stream, lambda: "pass phrase"))
