"""Carry what a worker says: envelopes to keepers; its session, its progress and its answers to the hub.

Nothing is looked into, nothing is tried again: a worker that wants an answer asks anew, in a fresh envelope, because
the keeper may have seen the old one.
"""

from collections.abc import Mapping
from typing import Protocol

from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import (
    ANSWER,
    CANDIDATES,
    NEXT_QUESTION,
    PROGRESS,
    SESSION,
    Accepted,
    AnswerRequest,
    CandidatesAnswer,
    CandidatesRequest,
    CarriedQuestion,
    NextQuestionAnswer,
    NextQuestionRequest,
    RunProgress,
    SessionAnswer,
    SessionRequest,
)
from nebula.transport.client import Carrier, Peer


class Courier(Protocol):
    """What a host does for its worker. Called from several threads."""

    def carry(self, keeper: Address, kind: str, envelope: bytes) -> bytes:
        """Bring an envelope to a keeper and return the answering one.

        Raises:
            NebulaError: the keeper's refusal, or UnavailableError.
        """
        ...

    def candidates(self, run: Hash32, after: Address | None) -> CandidatesAnswer:
        """Return a page of the records that an order names."""
        ...

    def register(self, request: SessionRequest) -> None:
        """Have a session registered; returns when it stands on the ledger."""
        ...

    def progress(self, progress: RunProgress) -> None:
        """Say where the run is."""
        ...

    def next_question(self, run: Hash32, session: Address) -> CarriedQuestion | None:
        """Return the next question to a discovery's session; None when none comes for a while."""
        ...

    def answer(self, answer: AnswerRequest) -> None:
        """Hand in the answer to a question."""
        ...


class HttpCourier:
    """Carries over HTTP."""

    def __init__(self, carrier: Carrier, keepers: Mapping[Address, str], hub: Peer) -> None:
        self._carrier = carrier
        self._keepers = keepers
        self._hub = hub

    def carry(self, keeper: Address, kind: str, envelope: bytes) -> bytes:
        """See :class:`Courier`."""
        url = self._keepers.get(keeper)
        if url is None:
            raise UnavailableError(
                "host.unknown-keeper", f"this host does not know where keeper {keeper} answers", hint="add its URL"
            )
        return self._carrier.carry(url, kind, envelope)

    def candidates(self, run: Hash32, after: Address | None) -> CandidatesAnswer:
        """See :class:`Courier`."""
        return self._hub.ask(CANDIDATES, CandidatesRequest(run=run, after=after), CandidatesAnswer)

    def register(self, request: SessionRequest) -> None:
        """See :class:`Courier`."""
        self._hub.ask(SESSION, request, SessionAnswer)

    def progress(self, progress: RunProgress) -> None:
        """See :class:`Courier`."""
        self._hub.ask(PROGRESS, progress, Accepted)

    def next_question(self, run: Hash32, session: Address) -> CarriedQuestion | None:
        """See :class:`Courier`."""
        return self._hub.ask(NEXT_QUESTION, NextQuestionRequest(run=run, session=session), NextQuestionAnswer).asked

    def answer(self, answer: AnswerRequest) -> None:
        """See :class:`Courier`."""
        self._hub.ask(ANSWER, answer, Accepted)


def panel_location(panels_url: str, panel: Hash32) -> str:
    """Return where a panel lies."""
    return f"{panels_url}#{panel.removeprefix('0x')}"
