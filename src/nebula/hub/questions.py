"""Step 4: carry buyers' sealed questions to the sessions that answer, and the sealed answers back.

A buyer is carried for when, in this order: (1) it is a verified buyer, by the ledger; (2) the run has a session that
answers, and the letter is for that one; (3) the buyer does not ask more than its share. The letter then lies in the
hub's database until its session's host fetches it, so that any process of this hub may take either end.

SECURITY: the hub reads neither letter. It sees who asks and when. What it loses, the buyer asks again; what it repeats,
the session answers with the same letter; what it alters, opens nowhere. Limits here protect the hub; budgets are the
keepers' business.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, update

from nebula.database import insert_or_ignore, reading, writing
from nebula.hub import state, tables
from nebula.hub.state import RunState
from nebula.hub.tables import answering, questions
from nebula.protocol.errors import NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.messages import (
    Accepted,
    AnswerRequest,
    AskAnswer,
    AskRequest,
    CarriedQuestion,
    ErrorAnswer,
    NextQuestionAnswer,
    NextQuestionRequest,
    OpenDiscoveries,
    OpenDiscovery,
)
from nebula.protocol.wire import parser, to_canonical
from nebula.transport.client import Clock

MINUTE_SECONDS = 60
ASKED_PER_MINUTE = 60
"""How many new questions of one buyer are carried within a minute, to all discoveries together."""
WAITING_AT_ONCE = 16
"""How many buyers one process lets wait for an answer at once."""
KEPT_SECONDS = 600
"""A question lies here for so long: who asks again within it gets the answer that came."""
ANSWERING_SECONDS = 30
"""A session whose host has not asked for a question for so long answers no more."""

T = TypeVar("T")
_parse_error = parser(ErrorAnswer)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a buyer waits for an answer, a host for a question, and between two looks at the database."""

    answer_seconds: float = 25.0
    question_seconds: float = 5.0
    look_seconds: float = 0.05


_PATIENCE = Patience()


class Questions:
    """Answers buyers that ask, and hosts that answer."""

    def __init__(
        self,
        engine: Engine,
        *,
        hosts: frozenset[Address],
        is_buyer: Callable[[Address], bool],
        clock: Clock,
        patience: Patience = _PATIENCE,
    ) -> None:
        self._engine = engine
        self._hosts = hosts
        self._is_buyer = is_buyer
        self._clock = clock
        self._patience = patience
        self._seats = threading.BoundedSemaphore(WAITING_AT_ONCE)

    def ask(self, request: AskRequest, sender: Address) -> AskAnswer:
        """Have a question answered; the same letter again waits for, or gets, the same answer.

        Raises:
            NotPermittedError: ``buyer.standing``, ``hub.asks-too-much``.
            UnavailableError: no such session answers now, or the answer takes too long.
            NebulaError: the session could not open the letter; family and code are its own.
        """
        if not self._is_buyer(sender):
            raise NotPermittedError("buyer.standing", "only verified buyers in good standing are carried for")
        question = to_hex(hashlib.sha256(request.letter).digest())
        with writing(self._engine) as connection:
            self._accept(connection, question, request, sender)
        answered = self._await_answer(question)
        if answered is None:
            raise UnavailableError(
                "discovery.no-answer", "the discovery has not answered yet", hint="ask again: the answer is kept"
            )
        if isinstance(answered, NebulaError):
            raise answered
        return AskAnswer(letter=answered)

    def next_question(self, request: NextQuestionRequest, sender: Address) -> NextQuestionAnswer:
        """Give the host of a session the oldest question that waits for it; wait a little where there is none.

        Raises:
            NotPermittedError: ``hub.host``; or ``discovery.over``, the run is no discovery that stands.
        """
        self._check_host(sender)
        here = {"run": request.run, "session": request.session, "seen": self._now()}
        with writing(self._engine) as connection:
            _check_stands(connection, request.run)
            connection.execute(insert_or_ignore(connection, answering).values(here))
            connection.execute(update(answering).where(answering.c.run == request.run).values(here))
        asked = self._wait(partial(self._oldest, request.run, request.session), self._patience.question_seconds)
        return NextQuestionAnswer(asked=asked)

    def answer(self, request: AnswerRequest, sender: Address) -> Accepted:
        """Keep an answer for whoever asked; the first that is handed in counts.

        Raises:
            NotPermittedError: ``hub.host``.
            RejectedInputError: ``hub.answer``.
        """
        self._check_host(sender)
        if (request.letter is None) == (request.error is None):
            raise RejectedInputError("hub.answer", "an answer is either a letter or an error")
        error = None if request.error is None else to_canonical(request.error)
        this = (questions.c.question == request.question) & (questions.c.run == request.run) & _waits()
        with writing(self._engine) as connection:
            connection.execute(update(questions).where(this).values(answer=request.letter, error=error))
        return Accepted()

    def open(self) -> OpenDiscoveries:
        """Return the discoveries that answer now, with their sessions' evidence."""
        since = self._now() - ANSWERING_SECONDS
        with reading(self._engine) as connection:
            standing = (
                select(tables.runs.c.study, answering.c.session)
                .join_from(answering, tables.runs, answering.c.run == tables.runs.c.run)
                .where(answering.c.seen >= since, tables.runs.c.state == RunState.ORDERED.value)
            )
            rows = connection.execute(standing.order_by(answering.c.run)).tuples().all()
            found = [(study, state.get_session(connection, session)) for study, session in rows]
        return OpenDiscoveries(
            discoveries=tuple(OpenDiscovery(study=study, evidence=at.evidence, votes=at.votes) for study, at in found)
        )

    def _accept(self, connection: Connection, question: Hash32, request: AskRequest, sender: Address) -> None:
        now = self._now()
        connection.execute(delete(questions).where(questions.c.asked < now - KEPT_SECONDS))
        if connection.scalar(select(questions.c.question).where(questions.c.question == question)) is not None:
            return
        fresh = (answering.c.run == request.run) & (answering.c.seen >= now - ANSWERING_SECONDS)
        if connection.scalar(select(answering.c.session).where(fresh)) != request.session:
            raise UnavailableError(
                "discovery.session", "this session does not answer now", hint="look again which one does, and ask it"
            )
        _check_share(connection, sender, now)
        row = {
            "question": question,
            "run": request.run,
            "session": request.session,
            "sender": sender,
            "asked": now,
            "letter": request.letter,
        }
        # The same letter may come twice at once, and neither sees the other: it is one question.
        connection.execute(insert_or_ignore(connection, questions).values(row))

    def _answer(self, question: Hash32) -> bytes | NebulaError | None:
        chosen = select(questions.c.answer, questions.c.error).where(questions.c.question == question)
        with reading(self._engine) as connection:
            row = connection.execute(chosen).one_or_none()
        if row is None or (row.answer is None and row.error is None):
            return None
        return bytes(row.answer) if row.error is None else _error(row.error)

    def _oldest(self, run: Hash32, session: Address) -> CarriedQuestion | None:
        mine = (questions.c.run == run) & (questions.c.session == session) & _waits()
        chosen = select(questions.c.question, questions.c.letter).where(mine)
        with reading(self._engine) as connection:
            row = connection.execute(chosen.order_by(questions.c.asked, questions.c.question).limit(1)).one_or_none()
        return None if row is None else CarriedQuestion(question=row.question, letter=bytes(row.letter))

    def _await_answer(self, question: Hash32) -> bytes | NebulaError | None:
        # SECURITY: whoever waits holds one of this process's threads, also for a letter that lies here already.
        if not self._seats.acquire(blocking=False):
            raise UnavailableError("hub.busy", "too many questions wait at this moment", hint="ask again in a while")
        try:
            return self._wait(partial(self._answer, question), self._patience.answer_seconds)
        finally:
            self._seats.release()

    def _wait(self, look: Callable[[], T], seconds: float) -> T:
        until = time.monotonic() + seconds
        while (found := look()) is None and time.monotonic() < until:
            time.sleep(self._patience.look_seconds)
        return found

    def _check_host(self, sender: Address) -> None:
        if sender not in self._hosts:
            raise NotPermittedError("hub.host", f"{sender} is no enclave host of this hub")

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _check_stands(connection: Connection, run: Hash32) -> None:
    found = state.get_run(connection, run)
    if found.state is not RunState.ORDERED or not state.get_study(connection, found.study).is_discovery:
        raise NotPermittedError("discovery.over", "this run is no discovery that stands")


def _check_share(connection: Connection, sender: Address, now: int) -> None:
    lately = (questions.c.asked > now - MINUTE_SECONDS) & (questions.c.sender == sender)
    if (connection.scalar(select(func.count()).select_from(questions).where(lately)) or 0) >= ASKED_PER_MINUTE:
        raise NotPermittedError(
            "hub.asks-too-much",
            f"at most {ASKED_PER_MINUTE} new questions of a buyer are carried in a minute",
            hint="wait a minute",
        )


def _waits() -> ColumnElement[bool]:
    return questions.c.answer.is_(None) & questions.c.error.is_(None)


def _error(raw: bytes) -> NebulaError:
    told = _parse_error(raw)
    return told.to_error() or UnavailableError("discovery.broken", told.message)
