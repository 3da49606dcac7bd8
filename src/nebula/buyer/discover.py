"""Ask a discovery how many people fit, and believe only the session that the ledger vouches for.

In this order: (1) the hub names the discoveries that answer; (2) one is taken whose study is of the keepers, the code
and the trust root that this buyer's settings name, whose evidence enough of those keepers signed their votes on, and
whose session stands on the ledger; (3) the question is signed and sealed to that session; (4) the answer opens, is
signed by the session, and answers this very question. The hub is believed in nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nebula.buyer.settings import BuyerSettings
from nebula.ledger.client import Network
from nebula.protocol.beacon import BeaconRequest, BeaconResponse
from nebula.protocol.discovery import ask
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, begins
from nebula.protocol.messages import ASK, AskAnswer, AskRequest, DiscoveryAnswer, OpenDiscovery
from nebula.protocol.receipt import Evidence, KeeperVote
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.session_vote import check_vote, session_vote
from nebula.protocol.trust_roots import is_simulated
from nebula.protocol.typed_data import Domain
from nebula.transport.client import Peer
from nebula.transport.public import PublicFiles

TRIES = 4
"""So often a question is carried: an answer that takes long is kept, and the same letter fetches it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a discovery answered, by which block, and which study it is."""

    study: Hash32
    response: BeaconResponse
    block_number: int

    @property
    def count(self) -> int | None:
        """How many individuals, noised; None: too few to say, or not asked for."""
        return self.response.response_summary.num_total_results


@dataclass(frozen=True, slots=True)
class Discoverer:
    """A buyer's side of discoveries."""

    settings: BuyerSettings
    key: SecretBytes
    network: Network
    public: PublicFiles
    hub: Peer
    clock: Callable[[], datetime]

    def open(self) -> list[OpenDiscovery]:
        """Return the discoveries that answer now and may be believed."""
        return [one for one in self.public.discoveries() if self._is_believed(one)]

    def choose(self, wanted: str | None = None) -> OpenDiscovery:
        """Return the one discovery whose study's id begins so; without a beginning, the only one there is.

        Raises:
            UnavailableError: ``discovery.none``, none answers now.
            RejectedInputError: ``discovery.several``.
        """
        found = [one for one in self.open() if begins(one.study, wanted or "")]
        if not found:
            raise UnavailableError(
                "discovery.none",
                "no discovery that you could believe answers now",
                hint="`nebula discovery list` shows those that do; one that has just begun takes a moment",
            )
        if len(found) > 1:
            listed = ", ".join(one.study[:14] for one in found[:8])
            raise RejectedInputError("discovery.several", f"{len(found)} discoveries answer", hint=f"choose: {listed}")
        return found[0]

    def ask(self, discovery: OpenDiscovery, request: BeaconRequest) -> Told:
        """Ask a discovery that was chosen here.

        Raises:
            NotPermittedError: a rule says no: standing, budgets, too few people.
            RejectedInputError: the discovery cannot answer this.
            IntegrityError: the answer is not the session's.
            UnavailableError: no answer came.
        """
        answer = self._answer(discovery.evidence, request)
        if answer.error is not None:
            raise answer.error.to_error() or UnavailableError("discovery.broken", answer.error.message)
        if answer.response is None or answer.block_number is None:
            raise UnavailableError("discovery.broken", "the discovery answered nothing")
        return Told(discovery.study, answer.response, answer.block_number)

    def _answer(self, evidence: Evidence, request: BeaconRequest) -> DiscoveryAnswer:
        asked = ask(request, evidence, key=self.key, at=self.clock())
        message = AskRequest(run=evidence.run, session=evidence.session, letter=asked.sealed)
        for _ in range(TRIES - 1):
            try:
                return asked.open_answer(self.hub.ask(ASK, message, AskAnswer).letter)
            except UnavailableError as error:
                if error.code != "discovery.no-answer":
                    raise
        return asked.open_answer(self.hub.ask(ASK, message, AskAnswer).letter)

    def _is_believed(self, discovery: OpenDiscovery) -> bool:
        # SECURITY: whom a question is sealed to is decided here. The hub brings all of this.
        study, settings = discovery.evidence.study, self.settings
        return (
            study.is_discovery
            and study_id(study) == discovery.study
            and set(study.keepers) == set(settings.keepers)
            and study.keeper_threshold >= settings.keeper_threshold
            and (study.measurement, study.trust_root) == (settings.measurement, settings.trust_root)
            and self._has_votes(discovery)
            and self._is_registered(discovery.evidence)
        )

    def _has_votes(self, discovery: OpenDiscovery) -> bool:
        # SECURITY: the ledger knows a session by its signing address. That the key which questions are sealed to is the
        # session's own, only the keepers' signatures say.
        domain = self.network.sessions.domain(self.network.addresses.chain_id)
        voters = {_voter(vote, discovery.evidence, domain) for vote in discovery.votes}
        return len(voters & set(self.settings.keepers)) >= self.settings.keeper_threshold

    def _is_registered(self, evidence: Evidence) -> bool:
        simulated = is_simulated(evidence.study.trust_root)
        return self.network.sessions.vouches_for(session_vote(evidence), simulated=simulated)


def _voter(vote: KeeperVote, evidence: Evidence, domain: Domain) -> Address | None:
    try:
        return check_vote(vote, evidence, domain)
    except NebulaError:
        return None
