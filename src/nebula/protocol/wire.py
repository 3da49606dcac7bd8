"""How documents become bytes: one canonical form, strict parsing, size limits.

A document's digest is the digest of its canonical bytes, so two parties that hold equal documents hold
equal digests. Canonical: JSON, keys in field order, no white space, unknown fields refused on the way in.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from nebula.protocol.errors import RejectedInputError

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_MESSAGE_BYTES = 32 * 1024 * 1024

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of everything that is signed, stored or sent: frozen, strict; subclasses say so again for type checkers."""


def to_canonical(document: object) -> bytes:
    """Return a document's canonical bytes."""
    return _encoder.encode(document)


def parser(kind: type[T], *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Callable[[bytes], T]:
    """Return a function that parses ``kind`` strictly from JSON bytes.

    The function raises RejectedInputError with the path of the first field that is wrong.
    """
    decoder = msgspec.json.Decoder(kind, strict=True)
    name = _words(getattr(kind, "__name__", str(kind)))

    def parse(raw: bytes) -> T:
        # SECURITY: an attacker's bytes come in here.
        if len(raw) > max_bytes:
            raise RejectedInputError(
                "wire.too-large", f"this {name} has {len(raw):,} bytes; at most {max_bytes:,} are read"
            )
        try:
            return decoder.decode(raw)
        except msgspec.DecodeError as error:
            raise RejectedInputError("wire.malformed", f"this is not a valid {name}: {error}") from error
        except (UnicodeDecodeError, RecursionError) as error:
            raise RejectedInputError("wire.malformed", f"this is not a valid {name}: not JSON text") from error

    return parse


def _words(name: str) -> str:
    """The name of a type as people write it: ``RunHead`` is a run head."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
