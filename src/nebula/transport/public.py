"""What a hub hands to anyone who asks, unsigned: whoever fetches it compares it with the ledger."""

from typing import Annotated

import httpx2
import msgspec

from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Hash32
from nebula.protocol.messages import ErrorAnswer, OpenDiscoveries, OpenDiscovery
from nebula.protocol.receipt import PublicRun, parse_public_run
from nebula.protocol.study import StudyDocument, parse_study
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, parser

_TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
_UNKNOWN = ("hub.run", "hub.study")


class RunStanding(Document, frozen=True, kw_only=True):
    """Where a run stands, by the hub."""

    run: Hash32
    study: Hash32
    state: Annotated[str, msgspec.Meta(max_length=40)]
    detail: str | None = None


_parse_standing = parser(RunStanding)
_parse_error = parser(ErrorAnswer)
_parse_discoveries = parser(OpenDiscoveries, max_bytes=MAX_MESSAGE_BYTES)


class PublicFiles:
    """A hub's public files."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run_standing(self, run: Hash32) -> RunStanding | None:
        """Return where a run stands; None for one that was never started.

        Raises:
            UnavailableError: the hub does not answer.
        """
        raw = self._get(f"/v1/runs/{run}")
        return None if raw is None else _parse_standing(raw)

    def run(self, run: Hash32) -> PublicRun | None:
        """Return a run's public file; None while nothing has left its enclave."""
        raw = self._get(f"/v1/runs/{run}/public")
        return None if raw is None else parse_public_run(raw)

    def study(self, study: Hash32) -> StudyDocument | None:
        """Return a study's document; None where the hub has none of that id, or another one under it."""
        raw = self._get(f"/v1/studies/{study}")
        document = None if raw is None else parse_study(raw)
        return document if document is not None and study_id(document) == study else None

    def discoveries(self) -> tuple[OpenDiscovery, ...]:
        """Return the discoveries that answer now, by the hub: compare their sessions with the ledger."""
        raw = self._get("/v1/discoveries")
        return () if raw is None else _parse_discoveries(raw).discoveries

    def _get(self, path: str) -> bytes | None:
        try:
            answer = httpx2.get(self._url + path, timeout=_TIMEOUT, trust_env=False)
        except httpx2.HTTPError as error:
            raise UnavailableError(
                "peer.away",
                f"the hub at {self._url} does not answer: {error}",
                hint="nothing is lost; see whether it runs: `nebula status`",
            ) from error
        if answer.status_code == httpx2.codes.OK:
            return answer.content
        if answer.status_code == RejectedInputError.http_status and _code_of(answer.content) in _UNKNOWN:
            return None
        raise UnavailableError("peer.broken", f"the hub at {self._url} answers with status {answer.status_code}")


def _code_of(content: bytes) -> str | None:
    try:
        return _parse_error(content).code
    except RejectedInputError:
        return None
