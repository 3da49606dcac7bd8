"""Header packets: what one carries, and how it is sealed to one reader (specification 1.0, sections 2.2 and 2.3)."""

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from nebula.crypt4gh.errors import MalformedFileError, NotARecipientError
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

DATA_KEY_BYTES: Final = 32

_METHOD_X25519 = _METHOD_CHACHA20 = bytes(4)
_TYPE_DATA_KEY, _TYPE_EDIT_LIST = 0, 1
_NONCE, _MAC, _KEY = 12, 16, 32
_LEAST_PACKET = len(_METHOD_X25519) + _KEY + _NONCE + _MAC

#: A packet that carries a data key, as :func:`seal_packet` makes it, without the length before it.
SEALED_DATA_KEY_BYTES: Final = _LEAST_PACKET + 4 + len(_METHOD_CHACHA20) + DATA_KEY_BYTES


@dataclass(frozen=True, slots=True)
class Contents:
    """What the packets of one reader say: data keys, and an edit list (lengths to skip and keep in turn) if any."""

    data_keys: tuple[SecretBytes, ...]
    edits: tuple[int, ...] | None


def data_key_payload(data_key: SecretBytes) -> bytes:
    """Return the plaintext of a packet with data encryption parameters.

    Raises:
        RejectedInputError: the key does not have 32 bytes.
    """
    if len(data_key) != DATA_KEY_BYTES:
        raise RejectedInputError("crypt4gh.data-key", f"a data key has 32 bytes, not {len(data_key)}")
    return _TYPE_DATA_KEY.to_bytes(4, "little") + _METHOD_CHACHA20 + data_key.reveal()


def edit_list_payload(edits: Sequence[int]) -> bytes:
    """Return the plaintext of a packet with an edit list."""
    return struct.pack(f"<II{len(edits)}Q", _TYPE_EDIT_LIST, len(edits), *edits)


def understand(payloads: Sequence[bytes]) -> Contents:
    """Return what packets say. What stands in a packet after its content is padding, and passed over.

    Raises:
        NotARecipientError: there is no data key among them.
        MalformedFileError: two edit lists, or a packet or data encryption method that version 1.0 does not know.
    """
    data_keys: dict[bytes, None] = {}
    edits: tuple[int, ...] | None = None
    for payload in payloads:
        if len(payload) < 4:  # noqa: PLR2004  # the type
            raise MalformedFileError("crypt4gh.packet", "a header packet has no type")
        kind = int.from_bytes(payload[:4], "little")
        if kind == _TYPE_DATA_KEY:
            data_keys[_parse_data_key(payload)] = None
        elif kind != _TYPE_EDIT_LIST:
            raise MalformedFileError("crypt4gh.packet-type", f"a header packet has the unknown type {kind}")
        elif edits is not None:
            raise MalformedFileError("crypt4gh.edit-lists", "the header has more than one edit list")
        else:
            edits = _parse_edits(payload)
    if not data_keys:
        raise NotARecipientError
    return Contents(tuple(SecretBytes(key) for key in data_keys), edits)


def open_packet(packet: bytes, reader: SealingKey) -> bytes | None:
    """Return a packet's plaintext, or None where it is not for this reader."""
    if not packet.startswith(_METHOD_X25519) or len(packet) < _LEAST_PACKET:
        return None
    writer_public, nonce, sealed = packet[4:36], packet[36:48], packet[48:]
    try:
        shared = _shared_key(reader, writer_public, reader.public_key, writer_public)
        return ChaCha20Poly1305(shared).decrypt(nonce, sealed, None)
    except (RejectedInputError, InvalidTag):  # a low-order writer's key, or a packet for someone else: not ours
        return None


def seal_packet(payload: bytes, writer: SealingKey, recipient: bytes) -> bytes:
    """Return a packet, without its length, for one recipient's public key.

    Raises:
        RejectedInputError: the public key is malformed or of low order.
    """
    nonce = os.urandom(_NONCE)
    shared = _shared_key(writer, recipient, recipient, writer.public_key)
    sealed = ChaCha20Poly1305(shared).encrypt(nonce, payload, None)
    return _METHOD_X25519 + writer.public_key + nonce + sealed


def _shared_key(own: SealingKey, other: bytes, reader_public: bytes, writer_public: bytes) -> bytes:
    """Return the first half of Blake2b(K_dh ‖ K_pr ‖ K_pw): section 2.3.1."""
    return hashlib.blake2b(own.exchange(other).reveal() + reader_public + writer_public).digest()[:32]


def _parse_data_key(payload: bytes) -> bytes:
    if payload[4:8] != _METHOD_CHACHA20:
        raise MalformedFileError(
            "crypt4gh.method", "the data is encrypted by a method other than chacha20_ietf_poly1305"
        )
    key = payload[8 : 8 + DATA_KEY_BYTES]
    if len(key) != DATA_KEY_BYTES:
        raise MalformedFileError("crypt4gh.packet", "a data key is cut short")
    return key


def _parse_edits(payload: bytes) -> tuple[int, ...]:
    count = int.from_bytes(payload[4:8], "little")
    if len(payload) < 8 or len(payload) - 8 < 8 * count:  # noqa: PLR2004  # type and count, four bytes each
        raise MalformedFileError("crypt4gh.packet", "an edit list is cut short")
    return struct.unpack_from(f"<{count}Q", payload, 8)
