"""What the hub does on the ledger: enter sessions and panels, settle, pay, give back. Each effect happens once.

Effects go through the outbox, under keys that name them: asking again finds the same transaction. An effect that
the ledger refuses is looked at again: somebody else may have done it meanwhile, as anybody may, and then it is done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nebula.ledger.client import ContractCall, Network, RevertedError
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.studies import StudyState
from nebula.ledger.relay import Relay
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import PanelPublication
from nebula.protocol.receipt import Evidence, KeeperVote, Payout, SignedReceipt
from nebula.protocol.session_vote import session_vote
from nebula.protocol.typed_data import Funding


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that stands on the ledger."""

    transaction: Hash32
    block_number: int


class Effects:
    """The ledger, as the operator's key acts on it."""

    def __init__(self, network: Network, relay: Relay) -> None:
        self._network = network
        self._relay = relay

    def study_state(self, study: Hash32) -> StudyState:
        """Return where a study's money is."""
        return self._network.studies.state_of(study)

    def is_buyer(self, address: Address) -> bool:
        """Whether somebody is a verified buyer in good standing."""
        return self._network.organizations.in_good_standing(address, Role.BUYER)

    def register_session(self, evidence: Evidence, votes: Sequence[KeeperVote]) -> Mined:
        """Enter a session that enough keepers voted for.

        Raises:
            NotPermittedError: the votes are too few, forged, or of keepers not in good standing.
        """
        call = self._network.sessions.register_session(
            session_vote(evidence), [(vote.keeper, vote.signature) for vote in votes]
        )
        return self._do(f"session-{evidence.session}", call)

    def settle(self, funding: Funding, signed: SignedReceipt) -> Mined | None:
        """Split a study's escrow by a receipt; None when somebody did so before.

        Raises:
            NotPermittedError: the ledger refuses the receipt.
        """
        call = self._network.studies.settle(funding, signed)
        return self._do_unless(lambda: self._is(funding.study, StudyState.SETTLED), f"settle-{funding.study}", call)

    def claim_subtree(self, study: Hash32, payouts: Sequence[Payout], proof: Sequence[bytes]) -> Mined | None:
        """Pay a whole sub-tree of payouts; None when every one of it was claimed before.

        Raises:
            NotPermittedError: the ledger refuses.
        """
        indices = [payout.index for payout in payouts]
        call = self._network.studies.claim_subtree(study, payouts, proof)
        return self._do_unless(
            lambda: all(self._network.studies.are_claimed(study, indices)), f"claim-{study}-{payouts[0].index}", call
        )

    def publish_panel(self, panel: PanelPublication, operator: Address) -> Mined | None:
        """Enter a panel behind the newest one of its name; None when it stands there already.

        Raises:
            NotPermittedError: the ledger refuses.
        """
        panels = self._network.panels
        if panels.is_published(panel.panel):
            return None
        call = panels.publish(panel, follows=panels.newest(operator, panel.name))
        key = self._relay.open_attempt(f"panel-{panel.panel}")
        return self._do_unless(lambda: panels.is_published(panel.panel), key, call)

    def refund(self, funding: Funding) -> Mined | None:
        """Give a study's whole escrow back to its buyer; None when it went back before, or was split.

        Raises:
            UnavailableError: by the ledger's own clock the deadline has not passed; ask again.
        """
        call = self._network.studies.refund(funding)
        key = self._relay.open_attempt(f"refund-{funding.study}")
        try:
            return self._do_unless(lambda: not self._is(funding.study, StudyState.FUNDED), key, call)
        except NotPermittedError as error:
            raise UnavailableError(error.code, error.message, hint="it is tried again") from error

    def _is(self, study: Hash32, state: StudyState) -> bool:
        return self.study_state(study) is state

    def _do_unless(self, done: Callable[[], bool], key: str, call: ContractCall) -> Mined | None:
        """Do what is not done yet. What this hub has begun itself it sees through, however it was done."""
        if self._relay.outcome(key) is None and done():
            return None
        try:
            return self._do(key, call)
        except NotPermittedError:
            if done():
                return None
            raise

    def _do(self, key: str, call: ContractCall) -> Mined:
        self._relay.submit(key, call)
        try:
            outcome = self._relay.wait(key)
        except RevertedError as error:
            raise NotPermittedError("ledger.refused", f"the ledger refuses: {error.reason}") from error
        return Mined(outcome.transaction_hash or "", outcome.block_number or 0)
