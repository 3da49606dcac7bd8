"""Watch a run from outside, as anybody can: the hub's public pages over one connection that is kept."""

from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from nebula.localnet.supervisor import wait_until
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Hash32
from nebula.protocol.receipt import PublicRun, parse_public_run

RUN_SECONDS = 600
BEFORE_START = ("matching", "ordered")
BEGUN = ("attesting", "releasing", "released", "reading", "assembl", "analys", "confirming")


class RunWatch:
    """Watches one run."""

    def __init__(self, hub_url: str, run: Hash32) -> None:
        self._url = f"{hub_url}/v1/runs/{run}"
        self._http = httpx2.Client(timeout=60, trust_env=False)

    def until_begun(self) -> None:
        """Wait until an enclave has been started for it, or it is over."""

        def begun() -> bool:
            state, detail = self._look()
            return state not in BEFORE_START or detail.startswith(BEGUN)

        wait_until(begun, seconds=RUN_SECONDS, what="the enclave")

    def until_paid(self, tell: Callable[[str, str], None]) -> PublicRun:
        """Wait until everyone is paid, telling each new state with its detail, and return the run's public file.

        Raises:
            UnavailableError: it ended without a result; the hub says why.
        """
        last = ("", "")

        def ended() -> bool:
            nonlocal last
            found = self._look()
            if found != last:
                tell(*found)
                last = found
            return found[0] in ("paid", "failed", "refunded")

        wait_until(ended, seconds=RUN_SECONDS, what="the run")
        if last[0] != "paid":
            raise UnavailableError("story.run", f"the run ended without a result: {last[1]}")
        return parse_public_run(self._get("/public"))

    def _look(self) -> tuple[str, str]:
        found: dict[str, Any] = msgspec.json.decode(self._get())
        return str(found["state"]), str(found["detail"] or "")

    def _get(self, page: str = "") -> bytes:
        try:
            return self._http.get(self._url + page).content
        except httpx2.HTTPError as error:
            raise UnavailableError("hub.away", f"the hub does not answer: {error}") from error
