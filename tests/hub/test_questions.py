"""How the hub carries questions and answers that it cannot read: to whom, from whom, how many, how often."""

import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from nebula.database import open_database, writing
from nebula.hub import questions as carrying
from nebula.hub import state, tables
from nebula.hub.questions import Patience, Questions
from nebula.hub.state import RunState
from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import (
    AnswerRequest,
    AskAnswer,
    AskRequest,
    CarriedQuestion,
    ErrorAnswer,
    NextQuestionRequest,
)
from simulators.discoveries import OpenSession, make_discovery, open_discovery
from simulators.storage import MemoryStorage
from simulators.studies import RUN, make_world

HOST, BUYER, OTHER, STRANGER = ("0x" + digit * 40 for digit in "4bc6")


@pytest.fixture(scope="module")
def session() -> OpenSession:
    world = make_world(MemoryStorage(), people=24)
    make_discovery(world)
    return open_discovery(world)


@dataclass
class Hub:
    engine: Engine
    session: OpenSession
    now: datetime = datetime(2026, 11, 26, tzinfo=UTC)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(32))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, answer_seconds: float = 20.0) -> None:
        self.questions = Questions(
            self.engine,
            hosts=frozenset({HOST}),
            is_buyer=lambda address: address in (BUYER, OTHER),
            clock=lambda: self.now,
            patience=Patience(answer_seconds=answer_seconds, question_seconds=0.2, look_seconds=0.01),
        )

    @property
    def address(self) -> str:
        return self.session.answering.session.evidence.session

    def ask(self, letter: bytes, sender: str = BUYER, session: str | None = None) -> AskAnswer:
        request = AskRequest(run=RUN, session=session or self.address, letter=letter)
        return self.questions.ask(request, sender)

    def asking(self, letter: bytes, sender: str = BUYER) -> "Future[AskAnswer]":
        return self.pool.submit(self.ask, letter, sender)

    def fetch(self, session: str | None = None) -> CarriedQuestion | None:
        request = NextQuestionRequest(run=RUN, session=session or self.address)
        return self.questions.next_question(request, HOST).asked

    def fetched(self) -> CarriedQuestion:
        """Wait until a question is there."""
        while True:
            found = self.fetch()
            if found is not None:
                return found

    def answer(self, question: CarriedQuestion, letter: bytes | None, error: ErrorAnswer | None = None) -> None:
        request = AnswerRequest(run=RUN, question=question.question, letter=letter, error=error)
        self.questions.answer(request, HOST)


def letter() -> bytes:
    return secrets.token_bytes(100)


@pytest.fixture
def hub(database_url: str, session: OpenSession) -> Iterator[Hub]:
    engine = open_database(database_url, tables.metadata, party="hub")
    document = session.world.study
    with writing(engine) as connection:
        state.add_study(connection, study_id(document), document)
        state.add_run(connection, RUN, study_id(document), deadline=document.deadline)
        state.set_state(connection, RUN, RunState.ORDERED)
        state.keep_session(connection, session.world.host.registered[-1], HOST)
    found = Hub(engine, session)
    found.fetch()
    yield found
    found.pool.shutdown(cancel_futures=True)
    engine.dispose()


def code_of(outcome: "Future[AskAnswer]") -> str:
    with pytest.raises(NebulaError) as refused:
        outcome.result(60)
    return refused.value.code


def test_a_question_reaches_its_host_and_the_answer_who_asked(hub: Hub) -> None:
    asked, answer = letter(), letter()
    waiting = hub.asking(asked)
    question = hub.fetched()
    assert question.letter == asked
    hub.answer(question, answer)
    assert waiting.result(60).letter == answer
    assert hub.fetch() is None


def test_the_same_letter_gets_the_same_answer_also_from_a_hub_that_was_started_again(hub: Hub) -> None:
    asked, answer = letter(), letter()
    waiting = hub.asking(asked)
    question = hub.fetched()
    hub.answer(question, answer)
    hub.answer(question, letter())
    assert waiting.result(60).letter == answer
    hub.restart()
    assert hub.ask(asked).letter == answer


def test_an_answer_that_takes_long_is_fetched_by_asking_again(hub: Hub) -> None:
    hub.restart(answer_seconds=0.0)
    asked, answer = letter(), letter()
    with pytest.raises(UnavailableError) as refused:
        hub.ask(asked)
    assert refused.value.code == "discovery.no-answer"
    hub.answer(hub.fetched(), answer)
    assert hub.ask(asked).letter == answer


def test_why_a_letter_did_not_open_comes_from_the_session(hub: Hub) -> None:
    waiting = hub.asking(letter())
    hub.answer(hub.fetched(), None, ErrorAnswer.of(IntegrityError("sealing.not-opened", "no")))
    assert code_of(waiting) == "sealing.not-opened"


def test_only_verified_buyers_are_carried_for(hub: Hub) -> None:
    with pytest.raises(NotPermittedError) as refused:
        hub.ask(letter(), STRANGER)
    assert refused.value.code == "buyer.standing"


def test_only_this_hubs_hosts_fetch_and_answer(hub: Hub) -> None:
    for attempt in (
        lambda: hub.questions.next_question(NextQuestionRequest(run=RUN, session=hub.address), STRANGER),
        lambda: hub.questions.answer(AnswerRequest(run=RUN, question="0x" + "00" * 32, letter=letter()), STRANGER),
    ):
        with pytest.raises(NotPermittedError) as refused:
            attempt()
        assert refused.value.code == "hub.host"


def test_a_question_for_a_session_that_is_gone_is_not_kept(hub: Hub) -> None:
    with pytest.raises(UnavailableError) as refused:
        hub.ask(letter(), session="0x" + "99" * 20)
    assert refused.value.code == "discovery.session"
    hub.now += timedelta(seconds=carrying.ANSWERING_SECONDS + 1)
    with pytest.raises(UnavailableError) as refused:
        hub.ask(letter())
    assert refused.value.code == "discovery.session"
    assert hub.questions.open().discoveries == ()


def test_a_session_is_not_given_what_was_sealed_to_the_one_before(hub: Hub) -> None:
    hub.restart(answer_seconds=0.0)
    with pytest.raises(UnavailableError):
        hub.ask(letter())
    assert hub.fetch("0x" + "99" * 20) is None
    assert hub.fetch() is not None


def test_what_answers_now_is_listed_with_evidence_and_votes(hub: Hub) -> None:
    (found,) = hub.questions.open().discoveries
    handed_in = hub.session.world.host.registered[-1]
    assert (found.evidence, found.votes) == (handed_in.evidence, handed_in.votes)
    assert found.study == study_id(hub.session.world.study)


def test_a_discovery_that_is_over_fetches_nothing_and_is_not_listed(hub: Hub) -> None:
    with writing(hub.engine) as connection:
        state.set_state(connection, RUN, RunState.FAILED)
    with pytest.raises(NotPermittedError) as refused:
        hub.fetch()
    assert refused.value.code == "discovery.over"
    assert hub.questions.open().discoveries == ()


def test_a_buyer_who_asks_too_much_waits_and_hinders_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "ASKED_PER_MINUTE", 3)
    hub.restart(answer_seconds=0.0)
    codes = []
    for sender in (BUYER, BUYER, BUYER, BUYER, OTHER):
        with pytest.raises(NebulaError) as refused:
            hub.ask(letter(), sender)
        codes.append(refused.value.code)
    assert codes == ["discovery.no-answer"] * 3 + ["hub.asks-too-much", "discovery.no-answer"]
    hub.now += timedelta(minutes=1, seconds=1)
    hub.fetch()
    with pytest.raises(UnavailableError) as refused:
        hub.ask(letter())
    assert refused.value.code == "discovery.no-answer"


def test_equal_letters_that_come_at_once_are_one_question(hub: Hub) -> None:
    for _ in range(3):
        same, answer = letter(), letter()
        waiting = [hub.asking(same) for _ in range(16)]
        hub.answer(hub.fetched(), answer)
        assert {one.result(60).letter for one in waiting} == {answer}


def test_whoever_waits_takes_a_seat_and_there_are_not_endless_ones(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "WAITING_AT_ONCE", 2)
    hub.restart()
    first = letter()
    waiting = [hub.asking(first), hub.asking(first)]
    question = hub.fetched()
    while hub.questions._seats._value:  # both sit
        assert not any(one.done() for one in waiting)
    assert code_of(hub.asking(first)) == "hub.busy"
    hub.answer(question, letter())
    assert {one.result(60).letter for one in waiting}


def test_questions_are_forgotten(hub: Hub) -> None:
    hub.restart(answer_seconds=0.0)
    old = letter()
    with pytest.raises(UnavailableError):
        hub.ask(old)
    hub.now += timedelta(seconds=carrying.KEPT_SECONDS + 1)
    hub.fetch()
    with pytest.raises(UnavailableError):
        hub.ask(letter())
    found = hub.fetch()
    assert found is not None
    assert found.letter != old


def test_an_answer_is_one_thing_or_the_other(hub: Hub) -> None:
    for both in ((None, None), (letter(), ErrorAnswer(family="rejected", code="x", message="y"))):
        request = AnswerRequest(run=RUN, question="0x" + "00" * 32, letter=both[0], error=both[1])
        with pytest.raises(RejectedInputError):
            hub.questions.answer(request, HOST)
