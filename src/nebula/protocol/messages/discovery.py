"""A question's way over the hub: asked by a buyer, fetched by the host of a discovery, answered, handed back."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages.buyer_to_enclave import Letter
from nebula.protocol.messages.parties import Accepted, ErrorAnswer, Kind
from nebula.protocol.receipt import Evidence, KeeperVote
from nebula.protocol.wire import Document


class AskRequest(Document, frozen=True, kw_only=True):
    """A buyer has a sealed question carried to a discovery's session. Sent again, the same answer comes."""

    run: Hash32
    session: Address
    letter: Letter


class AskAnswer(Document, frozen=True, kw_only=True):
    """The session's sealed answer."""

    letter: Letter


class NextQuestionRequest(Document, frozen=True, kw_only=True):
    """The host of a discovery asks for a question to its session, and so says that the session answers."""

    run: Hash32
    session: Address


class CarriedQuestion(Document, frozen=True, kw_only=True):
    """A sealed question and its name on the way: the SHA-256 of the letter."""

    question: Hash32
    letter: Letter


class NextQuestionAnswer(Document, frozen=True, kw_only=True):
    """The oldest question without an answer; None: nothing was asked for a while."""

    asked: CarriedQuestion | None


class AnswerRequest(Document, frozen=True, kw_only=True):
    """The host hands in what the session answered: a letter, or why it could not even be read."""

    run: Hash32
    question: Hash32
    letter: Letter | None = None
    error: ErrorAnswer | None = None


class OpenDiscovery(Document, frozen=True, kw_only=True):
    """A discovery that answers now: its session's evidence, and the keepers' votes, which alone bind all of that."""

    study: Hash32
    evidence: Evidence
    votes: Annotated[tuple[KeeperVote, ...], msgspec.Meta(min_length=1, max_length=32)]


class OpenDiscoveries(Document, frozen=True, kw_only=True):
    """All discoveries that answer now."""

    discoveries: tuple[OpenDiscovery, ...]


ASK = Kind("hub.ask", AskRequest, AskAnswer)
NEXT_QUESTION = Kind("hub.next-question", NextQuestionRequest, NextQuestionAnswer)
ANSWER = Kind("hub.answer", AnswerRequest, Accepted)
