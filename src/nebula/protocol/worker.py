"""What an enclave worker and its host say to each other, over a pipe.

A frame is two lengths (4 bytes each, big-endian), a header in JSON, and a payload that the header explains: a
sealed envelope, a run order, a page of a run's output. Neither side trusts the other: every length is checked before
anything is allocated, and what matters is signed or sealed inside the payload.
"""

import struct
from typing import Annotated, BinaryIO, TypeVar

import msgspec

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.messages import ErrorAnswer
from nebula.protocol.record import Location
from nebula.protocol.result import MAX_RESULT_BYTES
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, to_canonical

_LENGTHS = struct.Struct(">II")
_MAX_HEADER_BYTES = 64 * 1024
MAX_TO_WORKER_BYTES = MAX_MESSAGE_BYTES
MAX_FROM_WORKER_BYTES = 2 * MAX_RESULT_BYTES
"""The last frame holds the sealed result, in base64."""

Sequence = Annotated[int, msgspec.Meta(ge=1, lt=2**53)]


class Start(Document, frozen=True, kw_only=True, tag="start"):
    """Host: do this run. Payload: a ``RunOrder``.

    SECURITY: nothing here needs to be true. A receipt for another contract settles nothing, and a panel is
    known by its digest, which stands in the study.
    """

    studies_contract: Address
    sessions_contract: Address
    panel_location: Location


class Answered(Document, frozen=True, kw_only=True, tag="answered"):
    """Host: what came back. Payload: the answer's envelope; nothing for a registration."""

    sequence: Sequence


class Unanswered(Document, frozen=True, kw_only=True, tag="unanswered"):
    """Host: nothing came back, or a refusal, which nobody signs."""

    sequence: Sequence
    error: ErrorAnswer


class Carry(Document, frozen=True, kw_only=True, tag="carry"):
    """Worker: carry this to a keeper. Payload: a sealed envelope."""

    sequence: Sequence
    keeper: Address
    kind: Annotated[str, msgspec.Meta(max_length=60)]


class Register(Document, frozen=True, kw_only=True, tag="register"):
    """Worker: have my session registered on the ledger. Payload: a ``SessionRequest``."""

    sequence: Sequence


class Progress(Document, frozen=True, kw_only=True, tag="progress"):
    """Worker: where I am. Counts records that were worked on, whatever was found in them."""

    stage: Annotated[str, msgspec.Meta(max_length=40)]
    done: Annotated[int, msgspec.Meta(ge=0)]
    total: Annotated[int, msgspec.Meta(ge=0)]


class Candidates(Document, frozen=True, kw_only=True, tag="candidates"):
    """Worker: which records does the order name beyond ``after``? Answered by a ``CandidatesAnswer``."""

    sequence: Sequence
    after: Address | None = None


class Receive(Document, frozen=True, kw_only=True, tag="receive"):
    """Worker: bring me a buyer's question. Answered with the letter, or with nothing when none came for a while."""

    sequence: Sequence
    session: Address


class Reply(Document, frozen=True, kw_only=True, tag="reply"):
    """Worker: hand back the answer to what came for ``sequence``. Payload: a letter; nothing where ``error`` says why.

    ``error`` is for what could not be opened: whose it is nobody knows, so nothing can be sealed to them.
    """

    sequence: Sequence
    error: ErrorAnswer | None = None


class Owners(Document, frozen=True, kw_only=True, tag="owners"):
    """Worker: a page of what owners get. Payload: an ``OwnersPage``."""


class Finished(Document, frozen=True, kw_only=True, tag="finished"):
    """Worker: done, and all pages were handed out. Payload: a ``RunHead``."""


class Failed(Document, frozen=True, kw_only=True, tag="failed"):
    """Worker: nothing leaves, and why."""

    error: ErrorAnswer


FromHost = Start | Answered | Unanswered
FromWorker = Carry | Register | Progress | Candidates | Receive | Reply | Owners | Finished | Failed

H = TypeVar("H")

_from_host = msgspec.json.Decoder(FromHost, strict=True)
_from_worker = msgspec.json.Decoder(FromWorker, strict=True)


def write_frame(stream: BinaryIO, header: FromHost | FromWorker, payload: bytes = b"") -> None:
    """Write one frame and flush it."""
    head = to_canonical(header)
    stream.write(_LENGTHS.pack(len(head), len(payload)) + head)
    stream.write(payload)
    stream.flush()


def read_from_host(stream: BinaryIO) -> tuple[FromHost, bytes] | None:
    """Read what the host says next; None when it has closed the pipe.

    Raises:
        RejectedInputError: it is no frame, or too large.
        IntegrityError: the pipe ends in the middle of one.
    """
    raw = _read_raw(stream, MAX_TO_WORKER_BYTES)
    return None if raw is None else (_parse(_from_host, raw[0]), raw[1])


def read_from_worker(stream: BinaryIO) -> tuple[FromWorker, bytes] | None:
    """Read what the worker says next; None when it has ended. Raises as :func:`read_from_host`."""
    raw = _read_raw(stream, MAX_FROM_WORKER_BYTES)
    return None if raw is None else (_parse(_from_worker, raw[0]), raw[1])


def _read_raw(stream: BinaryIO, max_payload_bytes: int) -> tuple[bytes, bytes] | None:
    # SECURITY: the other side's bytes come in here.
    lengths = stream.read(_LENGTHS.size)
    if not lengths:
        return None
    head_bytes, payload_bytes = _LENGTHS.unpack(_whole(lengths, _LENGTHS.size))
    if head_bytes > _MAX_HEADER_BYTES or payload_bytes > max_payload_bytes:
        raise RejectedInputError("frame.too-large", "the other side of the pipe announces more than is read")
    return _whole(stream.read(head_bytes), head_bytes), _whole(stream.read(payload_bytes), payload_bytes)


def _whole(piece: bytes, length: int) -> bytes:
    if len(piece) != length:
        raise IntegrityError("frame.cut", "the pipe ended in the middle of a frame")
    return piece


def _parse(decoder: "msgspec.json.Decoder[H]", raw: bytes) -> H:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectedInputError("frame.malformed", "the other side of the pipe sends what is no frame") from error
