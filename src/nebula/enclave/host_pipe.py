"""The worker's end of the pipe to its host.

SECURITY: the host is hostile. It can withhold, delay, reorder, repeat and forge; what it brings is believed only
where a keeper signed it. It sees which objects are read and how far the work is, so neither may depend on what
the records say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address
from nebula.protocol.messages import CandidatesAnswer, ErrorAnswer, SessionRequest
from nebula.protocol.wire import MAX_MESSAGE_BYTES, parser, to_canonical
from nebula.protocol.worker import (
    Answered,
    Candidates,
    Carry,
    Progress,
    Receive,
    Register,
    Reply,
    Start,
    read_from_host,
    write_frame,
)

_parse_candidates = parser(CandidatesAnswer, max_bytes=MAX_MESSAGE_BYTES)


@dataclass(frozen=True, slots=True)
class SealedRequest:
    """A request to a keeper, in its sealed envelope."""

    keeper: Address
    kind: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A buyer's sealed question, and the number of the frame that it answers."""

    sequence: int
    letter: bytes


class Host(Protocol):
    """What a worker asks of its host."""

    def carry(self, requests: Sequence[SealedRequest]) -> list[bytes | NebulaError]:
        """Carry requests to their keepers, all at once, and return what came back for each, in their order."""
        ...

    def candidates(self, after: Address | None) -> CandidatesAnswer:
        """Return the records that the order names beyond ``after``: a page of them.

        Raises:
            NebulaError: the host does not say.
        """
        ...

    def register(self, request: SessionRequest) -> None:
        """Have the session registered on the ledger.

        Raises:
            NebulaError: it was not.
        """
        ...

    def progress(self, stage: str, done: int, total: int) -> None:
        """Say where the run is; what the host hears, it may tell anyone."""
        ...

    def receive(self, session: Address) -> Incoming | None:
        """Return the next question to a session; None when none came for a while."""
        ...

    def reply(self, to: Incoming, answer: bytes | NebulaError) -> None:
        """Hand back the sealed answer to a question, or why it could not be opened."""
        ...


class PipeHost:
    """The host behind two open binary files."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sequence = 0

    def await_start(self) -> tuple[Start, bytes]:
        """Return the host's first words: what to do.

        Raises:
            RejectedInputError: it says something else.
        """
        said = read_from_host(self._incoming)
        if said is None or not isinstance(said[0], Start):
            raise RejectedInputError("frame.unexpected", "a worker is started with a run order")
        return said[0], said[1]

    def carry(self, requests: Sequence[SealedRequest]) -> list[bytes | NebulaError]:
        """See :class:`Host`."""
        sequences = [self._next() for _ in requests]
        for sequence, request in zip(sequences, requests, strict=True):
            write_frame(
                self._outgoing, Carry(sequence=sequence, keeper=request.keeper, kind=request.kind), request.envelope
            )
        answers = self._await_answers(set(sequences))
        return [answers[sequence] for sequence in sequences]

    def candidates(self, after: Address | None) -> CandidatesAnswer:
        """See :class:`Host`."""
        return _parse_candidates(self._ask(Candidates(sequence=self._next(), after=after)))

    def register(self, request: SessionRequest) -> None:
        """See :class:`Host`."""
        self._ask(Register(sequence=self._next()), to_canonical(request))

    def progress(self, stage: str, done: int, total: int) -> None:
        """See :class:`Host`."""
        write_frame(self._outgoing, Progress(stage=stage, done=done, total=total))

    def receive(self, session: Address) -> Incoming | None:
        """See :class:`Host`."""
        asking = Receive(sequence=self._next(), session=session)
        letter = self._ask(asking)
        return Incoming(asking.sequence, letter) if letter else None

    def reply(self, to: Incoming, answer: bytes | NebulaError) -> None:
        """See :class:`Host`."""
        if isinstance(answer, NebulaError):
            write_frame(self._outgoing, Reply(sequence=to.sequence, error=ErrorAnswer.of(answer)))
        else:
            write_frame(self._outgoing, Reply(sequence=to.sequence), answer)

    def _ask(self, question: Candidates | Register | Receive, payload: bytes = b"") -> bytes:
        write_frame(self._outgoing, question, payload)
        answer = self._await_answers({question.sequence})[question.sequence]
        if isinstance(answer, NebulaError):
            raise answer
        return answer

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _await_answers(self, waiting: set[int]) -> dict[int, bytes | NebulaError]:
        answers: dict[int, bytes | NebulaError] = {}
        while waiting:
            said = read_from_host(self._incoming)
            if said is None:
                raise UnavailableError("host.gone", "the host has closed the pipe")
            header, payload = said
            if isinstance(header, Start) or header.sequence not in waiting:
                raise RejectedInputError("frame.unexpected", "the host answers what was not asked")
            waiting.discard(header.sequence)
            answers[header.sequence] = payload if isinstance(header, Answered) else _error(header.error)
        return answers


def _error(answer: ErrorAnswer) -> NebulaError:
    return answer.to_error() or UnavailableError(answer.code, answer.message, hint=answer.hint)
