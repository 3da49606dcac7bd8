"""What the hub does on the ledger: carry owners' writes, enter sessions, settle, pay. Each effect happens once.

Effects go through the outbox, under keys that name them: asking again finds the same transaction.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from nebula.ledger.client import ContractCall, Network, RevertedError
from nebula.ledger.client.records import MAX_PUTS, Put
from nebula.ledger.client.studies import StudyState
from nebula.ledger.relay import Relay
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.ids import Hash32, to_bytes
from nebula.protocol.messages import RecordPut
from nebula.protocol.receipt import Evidence, KeeperVote, Payout, SignedReceipt
from nebula.protocol.session_vote import session_vote
from nebula.protocol.typed_data import Funding

WITHDRAWN = "0x" + "00" * 26


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

    def put_records(self, puts: Sequence[RecordPut]) -> tuple[Hash32, ...]:
        """Carry owners' signed writes to the ledger and return the transactions that did.

        Registrations and updates go in batches, in which one that the ledger refuses stops no other; whoever
        sent them looks at the ledger itself. Withdrawals go first and alone.
        """
        writes = [put for put in puts if put.commitment != WITHDRAWN]
        calls = [(self._key("withdraw", [put]), self._withdrawal(put)) for put in puts if put.commitment == WITHDRAWN]
        calls += [
            (self._key("put", page), self._network.records.put_many([_put(put) for put in page]))
            for page in (writes[start : start + MAX_PUTS] for start in range(0, len(writes), MAX_PUTS))
        ]
        for key, call in calls:
            self._relay.submit(key, call)
        return tuple(self._wait(key).transaction for key, _ in calls)

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
        """Split a study's escrow by a receipt; None when somebody did so before."""
        if self._network.studies.state_of(funding.study) is StudyState.SETTLED:
            return None
        return self._do(f"settle-{funding.study}", self._network.studies.settle(funding, signed))

    def claim_subtree(self, study: Hash32, payouts: Sequence[Payout], proof: Sequence[bytes]) -> Mined | None:
        """Pay a whole sub-tree of payouts; None when every one of it was claimed before."""
        claimed = self._network.studies.are_claimed(study, [payout.index for payout in payouts])
        if all(claimed):
            return None
        key = f"claim-{study}-{payouts[0].index}"
        return self._do(key, self._network.studies.claim_subtree(study, payouts, proof))

    def _withdrawal(self, put: RecordPut) -> ContractCall:
        return self._network.records.withdraw(put.record, version=put.version, signature=put.signature)

    def _do(self, key: str, call: ContractCall) -> Mined:
        self._relay.submit(key, call)
        return self._wait(key)

    def _wait(self, key: str) -> Mined:
        try:
            outcome = self._relay.wait(key)
        except RevertedError as error:
            raise NotPermittedError("ledger.refused", f"the ledger refuses: {error.message}") from error
        return Mined(outcome.transaction_hash or "", outcome.block_number or 0)

    def _key(self, what: str, puts: Sequence[RecordPut]) -> str:
        digest = hashlib.sha256(b"".join(put.signature for put in puts)).hexdigest()
        return f"{what}-{digest}"


def _put(put: RecordPut) -> Put:
    return Put(put.record, to_bytes(put.commitment), put.version, put.signature)
