"""Every message between parties travels in a signed envelope.

Accepted only when, in this order: (1) it is small enough and well formed; (2) its version and kind are
known; (3) it is addressed to me; (4) it was sent within :data:`CLOCK_SKEW_SECONDS` of my clock; (5) its
signature is the sender's; (6) its nonce was not seen before (the caller's table, because that is state).
An answer names the digest of the request it answers, so that none can be passed off for another.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError
from nebula.protocol.ids import Address, Hash32, Signature, to_hex
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import address_of_secret, keccak256, recover, sign_digest
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, parser, to_canonical

CLOCK_SKEW_SECONDS = 120
STALE = "message.stale"
"""The code of the error about clocks that differ by more: the same message, sent when they agree, is accepted."""

_LABEL = b"nebula/envelope/1\x00"


class Envelope(Document, frozen=True, kw_only=True):
    """A signed message. ``body`` keeps the exact bytes that were signed."""

    version: Literal[1] = 1
    kind: Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z.-]{1,60}\Z")]
    sender: Address
    recipient: Address
    sent: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    nonce: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    reply_to: Hash32 | None = None
    body: msgspec.Raw
    signature: Signature


_parse = parser(Envelope, max_bytes=MAX_MESSAGE_BYTES)


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """A message whose envelope was checked; ``body`` is still to be parsed by its kind's type."""

    kind: str
    sender: Address
    nonce: bytes
    sent: int
    digest: Hash32
    body: bytes


def seal_envelope(
    kind: str,
    body: object,
    *,
    key: SecretBytes,
    recipient: Address,
    at: datetime,
    nonce: bytes,
    reply_to: Hash32 | None = None,
) -> bytes:
    """Return a signed envelope's bytes. ``nonce``: 16 fresh random bytes."""
    unsigned = Envelope(
        kind=kind,
        sender=address_of_secret(key),
        recipient=recipient,
        sent=int(at.timestamp()),
        nonce=nonce,
        reply_to=reply_to,
        body=msgspec.Raw(to_canonical(body)),
        signature=bytes(65),
    )
    return to_canonical(msgspec.structs.replace(unsigned, signature=sign_digest(key, _digest(unsigned))))


def open_envelope(raw: bytes, *, me: Address, at: datetime, kinds: frozenset[str]) -> VerifiedMessage:
    """Check an envelope up to, but not including, whether its nonce was seen before.

    Raises:
        RejectedInputError: malformed, too large, another version, an unknown kind.
        NotPermittedError: addressed to another, or sent at another time.
        IntegrityError: the signature is not the sender's.
    """
    envelope = _parse(raw)
    if envelope.kind not in kinds:
        raise RejectedInputError("message.kind", f"messages of kind {envelope.kind} are not answered here")
    if envelope.recipient != me:
        raise NotPermittedError("message.recipient", f"this message is for {envelope.recipient}, not for {me}")
    if abs(envelope.sent - at.timestamp()) > CLOCK_SKEW_SECONDS:
        raise NotPermittedError(
            STALE,
            f"this message was sent more than {CLOCK_SKEW_SECONDS} seconds from now",
            hint="set both machines' clocks, and send it anew",
        )
    digest = _digest(envelope)
    if recover(digest, envelope.signature) != envelope.sender:
        raise IntegrityError("message.signature", "the signature on this message is not its sender's")
    return VerifiedMessage(
        envelope.kind, envelope.sender, envelope.nonce, envelope.sent, to_hex(digest), bytes(envelope.body)
    )


def open_answer(raw: bytes, *, request: bytes, expected_sender: Address) -> VerifiedMessage:
    """Check that an answer is the expected party's answer to this very request.

    Raises:
        RejectedInputError: malformed.
        IntegrityError: another sender's, to another request, or with a wrong signature.
    """
    answer, asked = _parse(raw), _parse(request)
    digest = _digest(answer)
    if answer.sender != expected_sender or recover(digest, answer.signature) != expected_sender:
        raise IntegrityError("message.signature", f"this answer was not signed by {expected_sender}")
    if answer.reply_to != to_hex(_digest(asked)) or answer.recipient != asked.sender:
        raise IntegrityError("message.reply", "this is an answer to another request")
    return VerifiedMessage(answer.kind, answer.sender, answer.nonce, answer.sent, to_hex(digest), bytes(answer.body))


def envelope_digest(raw: bytes) -> Hash32:
    """Return the digest by which an answer names the request with these bytes.

    Raises:
        RejectedInputError: malformed.
    """
    return to_hex(_digest(_parse(raw)))


def _digest(envelope: Envelope) -> bytes:
    header = [
        envelope.version,
        envelope.kind,
        envelope.sender,
        envelope.recipient,
        envelope.sent,
        envelope.nonce,
        envelope.reply_to,
        keccak256(bytes(envelope.body)),
    ]
    return keccak256(_LABEL + to_canonical(header))
