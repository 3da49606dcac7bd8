"""Ask another party something and believe only its own signed answer."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import httpx2

from nebula.protocol.envelope import open_answer, seal_envelope
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address
from nebula.protocol.messages import ErrorAnswer, Identity, Kind
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, parser

Clock = Callable[[], datetime]
A = TypeVar("A", bound=Document)

TIMEOUT = httpx2.Timeout(300.0, connect=5.0)

_parse_error = parser(ErrorAnswer)
_parse_identity = parser(Identity)


def system_clock() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Carrier:
    """Carries sealed envelopes to URLs; knows nothing of what is in them."""

    def __init__(self) -> None:
        self._http = httpx2.Client(timeout=TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def carry(self, url: str, kind: str, raw: bytes) -> bytes:
        """Post an envelope and return the answering envelope's bytes, unchecked.

        Raises:
            NebulaError: the party refused; family, code, sentence and hint are its own.
            UnavailableError: it cannot be reached, or answers with something that is no answer.
        """
        try:
            response = self._http.post(
                f"{url}/v1/messages/{kind}", content=raw, headers={"content-type": "application/json"}
            )
        except httpx2.HTTPError as error:
            raise UnavailableError(
                "peer.away", f"{url} does not answer: {error}", hint="nothing is lost; it is tried again"
            ) from error
        if response.status_code == httpx2.codes.OK:
            return response.content
        raise _error_from(url, response.content)

    def identity(self, url: str) -> Identity:
        """Fetch a party's public face. Compare its address with the ledger before believing it."""
        try:
            response = self._http.get(f"{url}/v1/identity")
        except httpx2.HTTPError as error:
            raise UnavailableError("peer.away", f"{url} does not answer: {error}") from error
        if response.status_code != httpx2.codes.OK:
            raise _error_from(url, response.content)
        return _parse_identity(response.content)


class Peer:
    """One other party, from the point of view of whoever holds ``key``."""

    def __init__(
        self, url: str, address: Address, *, key: SecretBytes, carrier: Carrier, clock: Clock = system_clock
    ) -> None:
        self.url = url
        self.address = address
        self._key = key
        self._carrier = carrier
        self._clock = clock

    def ask(self, kind: Kind, body: Document, answer: type[A]) -> A:
        """Send a request and return its parsed answer.

        Args:
            kind: what is asked.
            body: an instance of ``kind.request``.
            answer: ``kind.answer``, once more, for the type checker.
        """
        request = seal_envelope(
            kind.name,
            body,
            key=self._key,
            recipient=self.address,
            at=self._clock(),
            nonce=secrets.token_bytes(16),
        )
        raw = self._carrier.carry(self.url, kind.name, request)
        verified = open_answer(raw, request=request, expected_sender=self.address)
        return parser(answer, max_bytes=MAX_MESSAGE_BYTES)(verified.body)


def _error_from(url: str, content: bytes) -> NebulaError:
    try:
        answer = _parse_error(content)
    except RejectedInputError:
        return UnavailableError("peer.broken", f"{url} answered with something that is not an answer")
    return answer.to_error() or UnavailableError("peer.broken", f"{url} failed: {answer.message}")
