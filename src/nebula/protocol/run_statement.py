"""What a session's statement holds together: its receipt, and every leaf that it sealed for an owner.

The ledger's receipt says nothing of sealed leaves, so by itself it would not show that a host or a hub had lost or
garbled one, and with it the way to a payout. The statement does: whoever has all leaves can hold them against it.
"""

import hashlib
from collections.abc import Iterable

from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Hash32, to_hex
from nebula.protocol.receipt import RunStatement, SealedLeaf, SignedReceipt
from nebula.protocol.signed_by_control_key import check_document
from nebula.protocol.typed_data import Domain, receipt_digest

_LABEL = b"nebula/leaves/1"


def leaves_digest(leaves: Iterable[SealedLeaf]) -> Hash32:
    """Return the digest over sealed leaves in their order: SHA-256 of ``nebula/leaves/1`` and each leaf's fields.

    Before each field stands its length, as 8 bytes, big-endian. Leaves may come one by one; none is kept.
    """
    digest = hashlib.sha256(_LABEL)
    for leaf in leaves:
        for field in (leaf.locator, leaf.sealed):
            digest.update(len(field).to_bytes(8, "big") + field)
    return to_hex(digest.digest())


def check_statement(statement: RunStatement, signed: SignedReceipt, studies: Domain) -> RunStatement:
    """Return a statement if the session that signed a receipt made it, about that very receipt.

    Raises:
        IntegrityError, RejectedInputError: it is another run's, or somebody else signed it.
    """
    # SECURITY: a host's or a hub's bytes come in here.
    if statement.receipt != to_hex(receipt_digest(studies, signed.receipt)):
        raise IntegrityError("statement.receipt", "the session's statement is about another receipt")
    return check_document(statement, signed.receipt.session)
