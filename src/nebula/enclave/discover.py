"""Step 4: answer how many people fit, one sealed question after the other, until it is time to begin anew.

For each question, in this order: (1) it opens, and is signed by whoever asks; (2) it was not answered before: a letter
that comes again gets the same letter back; (3) it fits the panel; (4) the keepers say who may be counted for this
buyer at the newest block, and that the buyer is in good standing; (5) there are enough such people; (6) where this
question was not told this buyer over these people before, the keepers note what it costs; (7) noise is drawn, once for
a question over the same people, whoever asks; (8) what disclosure control lets through is signed and sealed to them.

SECURITY: the host sees who asks, when, and whether a question was a new one. It sees no question, no answer and no
count. It cannot have noise drawn twice for one price: a session that it kills takes its draws with it, and the next
one pays again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from nebula.disclosure.floors import smallest_cohort
from nebula.disclosure.people import ToldCount, tell_people
from nebula.enclave.confirm import Confirmation, confirm_for_buyer
from nebula.enclave.people import People
from nebula.protocol.beacon import AnswerInfo, BeaconResponse, Granularity, ResponseSummary, respond
from nebula.protocol.discovery import open_question, seal_answer
from nebula.protocol.errors import NebulaError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import to_hex
from nebula.protocol.messages import SPEND, Accepted, DiscoveryAnswer, ErrorAnswer, SpendRequest
from nebula.protocol.trust_roots import is_simulated
from nebula.protocol.wire import to_canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import NoReturn

    from numpy.typing import NDArray

    from nebula.analysis.parameters import Discovery
    from nebula.enclave.assemble import Reading
    from nebula.enclave.host_pipe import Incoming
    from nebula.enclave.keepers import Keepers
    from nebula.enclave.release import ReleasedRecord
    from nebula.enclave.session import Session
    from nebula.genome.panel import Panel
    from nebula.protocol.beacon import Query
    from nebula.protocol.ids import Address, Hash32
    from nebula.protocol.messages import DiscoveryQuestion

MAX_ANSWERS = 10_000
"""Answers are kept so that a letter that comes again costs nothing: 80 MB at most, then a session ends."""


@dataclass(slots=True)
class AnsweringSession:
    """One session while it answers. ``records[i]`` is person i of ``people``."""

    session: Session
    keepers: Keepers
    parameters: Discovery
    records: Sequence[ReleasedRecord]
    people: People
    clock: Callable[[], datetime]
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _answers: dict[Hash32, bytes] = field(default_factory=dict)
    _draws: dict[Hash32, ToldCount] = field(default_factory=dict)
    _told: set[tuple[Address, Hash32]] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether no more answers can be kept."""
        return len(self._answers) >= MAX_ANSWERS

    def answer(self, letter: bytes) -> bytes:
        """Answer one letter with one; what goes wrong after it was opened is told in the answer.

        Raises:
            NebulaError: it does not open, or is no question to this discovery.
        """
        evidence = self.session.evidence
        question, message = open_question(
            letter, key=self.session.keys.sealing, run=evidence.run, me=evidence.session, at=self.clock()
        )
        if (question.study, question.run) != (study_id(evidence.study), evidence.run):
            raise RejectedInputError("discovery.study", "the question is to another discovery")
        if message.digest not in self._answers:
            try:
                answer = self._respond(question, message.sender)
            except UnavailableError:
                raise  # not kept: the same letter may be answered later
            except NebulaError as error:
                answer = DiscoveryAnswer(error=ErrorAnswer.of(error))
            self._answers[message.digest] = seal_answer(
                answer, question, message, key=self.session.keys.signing, at=self.clock()
            )
        return self._answers[message.digest]

    def _respond(self, question: DiscoveryQuestion, buyer: Address) -> DiscoveryAnswer:
        query = question.request.query
        fitting = self.people.who_fits(query)
        confirmed = confirm_for_buyer(self.session, self.keepers, self.records, buyer)
        counted = self._counted(confirmed)
        told = self._tell(fitting & counted, self._draw(query, counted), buyer)
        return DiscoveryAnswer(
            response=self._response(query, told),
            block_number=confirmed.block.number,
            block_hash=confirmed.block.hash,
        )

    def _counted(self, confirmed: Confirmation) -> NDArray[np.bool_]:
        study = self.session.evidence.study
        counted = np.array([record.record not in confirmed.refused for record in self.records], dtype=np.bool_)
        if np.count_nonzero(counted) < max(study.min_records, smallest_cohort(study)):
            raise NotPermittedError(
                "discovery.too-few-records", "fewer people may be counted for this buyer than are needed for any answer"
            )
        return counted

    def _draw(self, query: Query, counted: NDArray[np.bool_]) -> Hash32:
        """Name a question over a set of people, whatever granularity it is asked with. Only this session can."""
        asked = sorted(to_canonical(condition) for condition in query.filters)
        content = to_canonical([query.request_parameters, asked]) + np.packbits(counted).tobytes()
        return to_hex(hmac.digest(self._salt, hashlib.sha256(content).digest(), "sha256"))

    def _tell(self, who: NDArray[np.bool_], draw: Hash32, buyer: Address) -> ToldCount:
        if (buyer, draw) not in self._told:
            evidence = self.session.evidence
            request = SpendRequest(study=study_id(evidence.study), run=evidence.run, buyer=buyer, draw=draw)
            answers = self.keepers.ask(SPEND, request, Accepted, keepers=self.session.voters)
            answers.require(evidence.study.keeper_threshold)
            self._told.add((buyer, draw))
        if draw not in self._draws:
            self._draws[draw] = tell_people(int(np.count_nonzero(who)), self.parameters.question_micro_rho)
        return self._draws[draw]

    def _response(self, query: Query, told: ToldCount) -> BeaconResponse:
        study = self.session.evidence.study
        summary = ResponseSummary(exists=told.exists)
        if query.requested_granularity is Granularity.COUNT and told.people is not None:
            summary = msgspec.structs.replace(summary, num_total_results=told.people)
        info = AnswerInfo(
            noise_standard_deviation=round(told.scale, 4),
            least_told=told.least_told,
            simulated=is_simulated(study.trust_root),
        )
        return respond(query, summary, info, study=study_id(study))


def people_of(reading: Reading, panel: Panel) -> People:
    """Lay out what was read for counting, in the order in which it was read. The reading cannot be used again."""
    return People(panel, reading.genotypes.finish(), reading.phenotypes)


def serve(answering: AnsweringSession, *, monotonic: Callable[[], float] = time.monotonic) -> NoReturn:
    """Answer until the session is old or full.

    Raises:
        UnavailableError: ``discovery.refresh``: the host starts the next session, with those who have joined since.
    """
    host, ends = answering.keepers.host, monotonic() + answering.parameters.refresh_seconds
    host.progress("answering", len(answering.records), len(answering.records))
    while monotonic() < ends and not answering.is_full:
        incoming = host.receive(answering.session.evidence.session)
        if incoming is not None:
            host.reply(incoming, _answer_to(answering, incoming))
    raise UnavailableError("discovery.refresh", "this session ends, and the next one begins")


def _answer_to(answering: AnsweringSession, incoming: Incoming) -> bytes | NebulaError:
    try:
        return answering.answer(incoming.letter)
    except NebulaError as error:
        return error
