"""Documents that a record's owner signs with the record's control key: enrolments, policies, approvals.

The control key's address is the record's id, so whoever holds such a document can check it alone, wherever it came
from and whoever carried it. What is signed is the keccak256 of ``nebula/LABEL/1``, a zero byte, and the document's
canonical bytes with 65 zero bytes for its signature; LABEL is the name of the document's type, lower case, so a
signature under one kind of document is none under another.

A keeper's acceptance, and what a session signs beside its receipt, have the same form under their own keys.
"""

from typing import Any, Protocol, TypeVar, cast

import msgspec

from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import SIGNATURE_BYTES, keccak256, recover, sign_digest
from nebula.protocol.wire import to_canonical


class SignedDocument(Protocol):
    """A frozen document with a ``signature`` field."""

    @property
    def signature(self) -> bytes:
        """65 bytes; zeros while unsigned."""
        ...


D = TypeVar("D", bound=SignedDocument)

UNSIGNED = bytes(SIGNATURE_BYTES)


def sign_document(doc: D, key: SecretBytes) -> D:
    """Return the document with the control key's signature in place of whatever was there."""
    return cast("D", _with_signature(doc, sign_digest(key, document_digest(doc))))


def check_document(doc: D, expected: Address) -> D:
    """Return the document if ``expected`` signed it.

    Raises:
        RejectedInputError: no key could have made this signature, or not in its one form.
        IntegrityError: another key signed it, or it was altered afterwards.
    """
    # SECURITY: an attacker's document comes in here.
    if recover(document_digest(doc), doc.signature) != expected:
        raise IntegrityError("document.signature", f"this {_label(doc)} was not signed by {expected}")
    return doc


def document_digest(doc: SignedDocument) -> bytes:
    """Return the 32 bytes that are signed."""
    unsigned = _with_signature(doc, UNSIGNED)
    return keccak256(f"nebula/{_label(doc)}/1".encode() + b"\0" + to_canonical(unsigned))


def _label(doc: SignedDocument) -> str:
    return type(doc).__name__.lower()


def _with_signature(doc: SignedDocument, signature: bytes) -> Any:
    return msgspec.structs.replace(cast("msgspec.Struct", doc), signature=signature)
