"""Letters between a buyer and a discovery's session: signed, then padded, then sealed.

The hub and the host carry them and may keep, delay or repeat them. They see who asks and when. A letter's length says
nothing of what is in it: letters are filled up with spaces, which JSON allows behind a document, to whole blocks.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from nebula.protocol.beacon import BeaconRequest
from nebula.protocol.envelope import VerifiedMessage, envelope_digest, open_answer, open_envelope, seal_envelope
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages.buyer_to_enclave import (
    MAX_LETTER_BYTES,
    QUESTION,
    DiscoveryAnswer,
    DiscoveryQuestion,
)
from nebula.protocol.receipt import Evidence
from nebula.protocol.sealing import SealingKey, open_sealed, seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import parser

QUESTION_INFO = b"nebula/question/1"
"""HPKE's ``info`` of a question; its associated data is the run's id in ASCII."""

ANSWER_INFO = b"nebula/answer/1"
"""HPKE's ``info`` of an answer; its associated data is the digest of the question's envelope in ASCII."""

LETTER_BLOCK = 4096

_KINDS = frozenset({QUESTION.name})
_parse_question = parser(DiscoveryQuestion, max_bytes=MAX_LETTER_BYTES)
_parse_answer = parser(DiscoveryAnswer, max_bytes=MAX_LETTER_BYTES)


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A buyer's own question: ``sealed`` goes out, the rest opens the answer."""

    sealed: bytes
    envelope: bytes
    session: Address
    reply: SealingKey

    def open_answer(self, sealed: bytes) -> DiscoveryAnswer:
        """Return the session's answer to this very question.

        Raises:
            IntegrityError: it is sealed to another, another's, to another question, or altered.
            RejectedInputError: it is malformed.
        """
        context = envelope_digest(self.envelope).encode()
        raw = open_sealed(self.reply, sealed, info=ANSWER_INFO, aad=context).reveal()
        return _parse_answer(open_answer(raw, request=self.envelope, expected_sender=self.session).body)


def ask(request: BeaconRequest, evidence: Evidence, *, key: SecretBytes, at: datetime) -> AskedQuestion:
    """Sign a question and seal it to a session, whose evidence the caller has checked.

    Raises:
        RejectedInputError: the question is longer than any.
    """
    reply = SealingKey.generate()
    question = DiscoveryQuestion(
        study=study_id(evidence.study), run=evidence.run, reply_key=reply.public_key, request=request
    )
    nonce = secrets.token_bytes(16)
    envelope = seal_envelope(QUESTION.name, question, key=key, recipient=evidence.session, at=at, nonce=nonce)
    sealed = seal(evidence.session_key, _padded(envelope), info=QUESTION_INFO, aad=evidence.run.encode())
    return AskedQuestion(sealed, envelope, evidence.session, reply)


def open_question(
    sealed: bytes, *, key: SealingKey, run: Hash32, me: Address, at: datetime
) -> tuple[DiscoveryQuestion, VerifiedMessage]:
    """Open a question, and say whose it is.

    SECURITY: anyone may have made these bytes. ``at`` is the host's word: how often a question is answered does not
    hang on it.

    Raises:
        NebulaError: it is not a question to this session, or nobody's.
    """
    envelope = open_sealed(key, sealed, info=QUESTION_INFO, aad=run.encode()).reveal()
    message = open_envelope(envelope, me=me, at=at, kinds=_KINDS)
    return _parse_question(message.body), message


def seal_answer(
    answer: DiscoveryAnswer, question: DiscoveryQuestion, message: VerifiedMessage, *, key: SecretBytes, at: datetime
) -> bytes:
    """Sign an answer to a question that was opened, and seal it to who asked."""
    envelope = seal_envelope(
        QUESTION.name,
        answer,
        key=key,
        recipient=message.sender,
        at=at,
        nonce=secrets.token_bytes(16),
        reply_to=message.digest,
    )
    return seal(question.reply_key, _padded(envelope), info=ANSWER_INFO, aad=message.digest.encode())


def _padded(envelope: bytes) -> bytes:
    blocks = -(-len(envelope) // LETTER_BLOCK)
    return envelope.ljust(blocks * LETTER_BLOCK)
