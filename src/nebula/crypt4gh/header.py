"""The header of a Crypt4GH file: who may read it, and how (specification 1.0, section 2.2).

``magic ‖ version ‖ packet count ‖ packets``, all integers little-endian. Each packet is sealed to one reader
(X25519_chacha20_ietf_poly1305) and carries either data encryption parameters (a data key) or an edit list. A reader
opens what opens with their key and passes over the rest: it was meant for others.

The header is not bound to the body, and anybody can add packets to it. Whoever needs to know that a file is the
one that was written compares its plaintext with a digest from elsewhere: :mod:`nebula.crypt4gh.part`.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BufferedIOBase, FileIO
from typing import BinaryIO, Final

from nebula.crypt4gh.errors import MalformedFileError
from nebula.crypt4gh.packets import (
    SEALED_DATA_KEY_BYTES,
    data_key_payload,
    edit_list_payload,
    open_packet,
    seal_packet,
    understand,
)
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes

MAX_PACKETS: Final = 256
MAX_HEADER_BYTES: Final = 1 << 20

_PREFIX = struct.Struct("<8sII")
_LENGTH = struct.Struct("<I")
_MAGIC, _VERSION = b"crypt4gh", 1
#: A header with one packet, a data key for one recipient: it begins so, and has these bytes in all.
_SINGLE_BYTES = _PREFIX.size + _LENGTH.size + SEALED_DATA_KEY_BYTES
_SINGLE_START = _PREFIX.pack(_MAGIC, _VERSION, 1) + _LENGTH.pack(_LENGTH.size + SEALED_DATA_KEY_BYTES)


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """A header as it stands in the file: its packets still sealed, ``length_bytes`` in all."""

    packets: tuple[bytes, ...]
    length_bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """What one reader may know: the data keys and the edit list, if any, as lengths to skip and keep in turn."""

    data_keys: tuple[SecretBytes, ...]
    edits: tuple[int, ...] | None
    length_bytes: int


def parse_header(raw: bytes | memoryview) -> SealedHeader:
    """Take the header off the front of a file's bytes.

    Raises:
        MalformedFileError: not a Crypt4GH file of version 1, cut short, or past the limits of this package.
    """
    # SECURITY: a stranger's bytes; every length is checked before anything is sliced by it.
    view = memoryview(raw)
    packets: list[bytes] = []
    at = _PREFIX.size
    for _ in range(_packet_count(view)):
        start = at + _LENGTH.size
        end = at + _packet_length(view, at)
        if end > len(view):
            raise _cut_short()
        packets.append(bytes(view[start:end]))
        at = end
    return SealedHeader(tuple(packets), at)


def header_length(raw: bytes | memoryview) -> int:
    """Return where the body begins, for who has the data key already: packets are passed over unread.

    Raises:
        MalformedFileError: see :func:`parse_header`.
    """
    # Nearly all parts of a cohort have such a header, and a cohort has millions of parts.
    if raw[: len(_SINGLE_START)] == _SINGLE_START and len(raw) >= _SINGLE_BYTES:
        return _SINGLE_BYTES
    # SECURITY: a stranger's bytes, as above.
    at = _PREFIX.size
    for _ in range(_packet_count(raw)):
        at += _packet_length(raw, at)
        if at > len(raw):
            raise _cut_short()
    return at


def read_header(file: BinaryIO) -> SealedHeader:
    """Read the header from a file's start, leaving the file at the first byte of its body.

    Raises:
        MalformedFileError: see :func:`parse_header`.
    """
    packets: list[bytes] = []
    at = _PREFIX.size
    for _ in range(_packet_count(read_up_to(file, at))):
        length = _packet_length(read_up_to(file, _LENGTH.size), 0, before=at)
        packet = read_up_to(file, length - _LENGTH.size)
        if len(packet) != length - _LENGTH.size:
            raise _cut_short()
        packets.append(packet)
        at += length
    return SealedHeader(tuple(packets), at)


def read_up_to(file: BinaryIO, length: int) -> bytes:
    """Read ``length`` bytes, or fewer where the file ends before; a raw file may answer in pieces."""
    pieces: list[bytes] = []
    while length > 0 and (piece := file.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def read_into(file: BinaryIO, target: memoryview) -> int:
    """Fill ``target`` from a file, or as much of it as the file still has; return how much that is."""
    if not isinstance(file, BufferedIOBase | FileIO):  # such as a socket's wrapper, which may know `read` alone
        piece = read_up_to(file, len(target))
        target[: len(piece)] = piece
        return len(piece)
    filled = 0
    while filled < len(target) and (more := file.readinto(target[filled:])):
        filled += more
    return filled


def open_header(sealed: SealedHeader, reader: SealingKey) -> Header:
    """Open a header with a reader's key.

    Raises:
        NotARecipientError: no packet with a data key opens with this key.
        MalformedFileError: two edit lists, or a packet or data encryption method that version 1.0 does not know.
    """
    contents = understand(open_packets(sealed, reader))
    return Header(contents.data_keys, contents.edits, sealed.length_bytes)


def open_packets(sealed: SealedHeader, reader: SealingKey) -> list[bytes]:
    """Return the plaintext of every packet that opens with this key, in order."""
    opened = (open_packet(packet, reader) for packet in sealed.packets)
    return [payload for payload in opened if payload is not None]


def make_header(recipients: Iterable[bytes], data_key: SecretBytes, *, edits: Sequence[int] | None = None) -> bytes:
    """Return the bytes of a header that gives every recipient the data key, and the edit list if there is one.

    Args:
        recipients: X25519 public keys, 32 bytes each.
        data_key: 32 bytes.
        edits: lengths to skip and to keep, in turn.

    Raises:
        RejectedInputError: no recipient, too many, a low-order public key, or a key of another length.
    """
    payloads = [data_key_payload(data_key)]
    if edits is not None:
        payloads.append(edit_list_payload(edits))
    return serialize_header(seal_packets(payloads, recipients))


def seal_packets(payloads: Sequence[bytes], recipients: Iterable[bytes]) -> list[bytes]:
    """Seal packets' plaintexts to recipients, from a writer's key that is forgotten at once."""
    writer = SealingKey.generate()
    return [seal_packet(payload, writer, recipient) for recipient in recipients for payload in payloads]


def serialize_header(packets: Sequence[bytes]) -> bytes:
    """Return the bytes of a header of sealed packets.

    Raises:
        RejectedInputError: no packets, or more than a reader has to accept.
    """
    if not packets:
        raise RejectedInputError("crypt4gh.recipients", "a Crypt4GH file needs a recipient")
    prefix = _PREFIX.pack(_MAGIC, _VERSION, len(packets))
    raw = prefix + b"".join(_LENGTH.pack(len(packet) + _LENGTH.size) + packet for packet in packets)
    if len(packets) > MAX_PACKETS or len(raw) > MAX_HEADER_BYTES:
        raise RejectedInputError("crypt4gh.recipients", f"a header holds at most {MAX_PACKETS} packets and 1 MiB")
    return raw


def _packet_count(raw: bytes | memoryview) -> int:
    """Return how many packets the prefix at the front announces."""
    if len(raw) < _PREFIX.size or (prefix := _PREFIX.unpack_from(raw))[0] != _MAGIC:
        raise MalformedFileError("crypt4gh.magic", "this is no Crypt4GH file: it does not begin with 'crypt4gh'")
    _, version, count = prefix
    if version != _VERSION:
        raise MalformedFileError("crypt4gh.version", f"Crypt4GH version {version} is unknown; version 1 is read")
    if not 1 <= count <= MAX_PACKETS:
        raise MalformedFileError("crypt4gh.header", f"{count} header packets; between 1 and {MAX_PACKETS} are read")
    return int(count)


def _packet_length(raw: bytes | memoryview, at: int, *, before: int = 0) -> int:
    """Return the length of the packet at a place, its own four bytes included; ``before`` it, so much was read."""
    if len(raw) < at + _LENGTH.size:
        raise _cut_short()
    length = int(_LENGTH.unpack_from(raw, at)[0])
    if length < _LENGTH.size + 4 or before + at + length > MAX_HEADER_BYTES:
        raise MalformedFileError("crypt4gh.header", f"a header packet of {length} bytes, in a header of at most 1 MiB")
    return length


def _cut_short() -> MalformedFileError:
    return MalformedFileError("crypt4gh.header", "the file ends inside its header")
