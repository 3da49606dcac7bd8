"""Ask keepers, each in a signed envelope, and believe only what each of them signed."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from nebula.enclave.host_pipe import Host, SealedRequest
from nebula.protocol.envelope import open_answer, seal_envelope
from nebula.protocol.errors import NebulaError, UnavailableError
from nebula.protocol.ids import Address
from nebula.protocol.messages import Kind
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, parser

TRIES = 4
PAUSE_SECONDS = 0.5

A = TypeVar("A", bound=Document)


@dataclass(frozen=True, slots=True)
class Answers(Generic[A]):
    """What each keeper answered, or why it did not."""

    given: Mapping[Address, A]
    errors: Mapping[Address, NebulaError] = field(default_factory=dict)

    def require(self, threshold: int) -> "Answers[A]":
        """Return these answers if enough keepers gave one.

        Raises:
            UnavailableError: some that are missing may come back: the run may be tried again.
            NebulaError: enough keepers refused for good; the first one's own error.
        """
        if len(self.given) >= threshold:
            return self
        away = [error for error in self.errors.values() if isinstance(error, UnavailableError)]
        refusals = [error for error in self.errors.values() if not isinstance(error, UnavailableError)]
        if refusals and len(self.given) + len(away) < threshold:
            raise refusals[0]
        raise UnavailableError(
            "enclave.keepers-away",
            f"only {len(self.given)} of the {threshold} keepers that are needed answer",
            hint="the run goes on when they are back",
        )


@dataclass(frozen=True, slots=True)
class Keepers:
    """The keepers of a study, from the point of view of one session."""

    host: Host
    key: SecretBytes
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep

    def ask(self, kind: Kind, question: Document, answer: type[A], *, keepers: Sequence[Address]) -> Answers[A]:
        """Ask all these keepers the same; see :meth:`ask_each`."""
        return self.ask_each(kind, dict.fromkeys(keepers, question), answer)

    def ask_each(self, kind: Kind, questions: Mapping[Address, Document], answer: type[A]) -> Answers[A]:
        """Ask keepers all at once, again where one is away for a moment.

        Args:
            kind: what is asked.
            questions: instances of ``kind.request``, by keeper.
            answer: ``kind.answer``, once more, for the type checker.
        """
        given: dict[Address, A] = {}
        errors: dict[Address, NebulaError] = {}
        left = list(questions)
        for attempt in range(TRIES):
            if attempt:
                self.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            requests = [self._seal(kind, questions[keeper], keeper) for keeper in left]
            for request, raw in zip(requests, self.host.carry(requests), strict=True):
                try:
                    given[request.keeper] = self._open(request, raw, answer)
                    errors.pop(request.keeper, None)
                except NebulaError as error:
                    errors[request.keeper] = error
            left = [keeper for keeper, error in errors.items() if isinstance(error, UnavailableError)]
            if not left:
                break
        return Answers(given, errors)

    def _seal(self, kind: Kind, question: Document, keeper: Address) -> SealedRequest:
        nonce = secrets.token_bytes(16)
        envelope = seal_envelope(kind.name, question, key=self.key, recipient=keeper, at=self.clock(), nonce=nonce)
        return SealedRequest(keeper, kind.name, envelope)

    @staticmethod
    def _open(request: SealedRequest, raw: bytes | NebulaError, answer: type[A]) -> A:
        if isinstance(raw, NebulaError):
            raise raw
        verified = open_answer(raw, request=request.envelope, expected_sender=request.keeper)
        return parser(answer, max_bytes=MAX_MESSAGE_BYTES)(verified.body)
