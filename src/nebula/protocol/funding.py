"""From a study's document to what the ledger knows of it."""

import hashlib

from nebula.protocol.ids import Hash32, to_hex
from nebula.protocol.money import wei_from_wire
from nebula.protocol.study import StudyDocument, terms_digest
from nebula.protocol.typed_data import Funding


def funding_of(document: StudyDocument) -> Funding:
    """Return what the buyer of a study locks tokens for."""
    return Funding(
        buyer=document.buyer,
        operator=document.operator,
        terms_digest=to_hex(terms_digest(document)),
        measurement=document.measurement,
        price_wei=wei_from_wire(document.price_per_record_wei),
        fee_wei=wei_from_wire(document.fee_wei),
        max_records=document.max_records,
        deadline=document.deadline,
    )


def study_id(document: StudyDocument) -> Hash32:
    """Return a study's id: the ledger computes the same from the funding, so it cannot be chosen or taken."""
    return funding_of(document).study


def run_id(study: Hash32) -> Hash32:
    """Return the id of a study's run: a study is run once, so that it is settled once."""
    return to_hex(hashlib.sha256(b"nebula/run/1\x00" + study.encode()).digest())
