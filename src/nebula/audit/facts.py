"""What the ledger says about one run, as plain values: what the checks look at instead of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass

from nebula.attestation.appraisal import AppraisalPolicy
from nebula.attestation.roots import TrustRoot
from nebula.audit.report import require
from nebula.ledger.client import BlockRef, NetworkAddresses
from nebula.ledger.client.events import LedgerEvent
from nebula.ledger.client.sessions import Approval, SessionRegistered
from nebula.ledger.client.studies import Funded, Settled, StudyState
from nebula.ledger.client.token import Transfer
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.receipt import PublicRun
from nebula.protocol.result import ResultBundle
from nebula.protocol.typed_data import Domain


@dataclass(frozen=True, slots=True)
class PlacedTransfer:
    """A movement of tokens, and which log of its transaction's block it is."""

    log_index: int
    transfer: Transfer


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Everything that was read from the ledger, all of it on the chain that ``head`` ends.

    Attributes:
        funded, settled, session: the events that name the receipt's study or session; None where there is none.
        session_block: the block of the session's event.
        started_at, consented_at: the blocks that evidence and receipt name by number; None beyond the head.
        claims: of the study, in order.
        transfers: by transaction, for every transaction with one of the study's events.
        standing: by voter, whether a keeper in good standing at the session's block.
        vote_threshold: how many votes registered a session then.
        approvals: of the study's measurement under its trust root, at the session's and at the settlement's block.
        panel_published: whether the study's panel stood on the ledger at the session's block.
        state, escrow_wei: where the study's money is now, and what is left of it.
    """

    addresses: NetworkAddresses
    head: BlockRef
    funded: LedgerEvent | None
    settled: LedgerEvent | None
    session: LedgerEvent | None
    session_block: BlockRef | None
    started_at: BlockRef | None
    consented_at: BlockRef | None
    claims: tuple[LedgerEvent, ...]
    transfers: Mapping[Hash32, tuple[PlacedTransfer, ...]]
    standing: Mapping[Address, bool]
    vote_threshold: int
    approvals: tuple[Approval, Approval]
    panel_published: bool
    state: StudyState
    escrow_wei: int


@dataclass(frozen=True, slots=True)
class RunCase:
    """One run to be audited: the file, the facts, and what the auditor believes."""

    public: PublicRun
    facts: RunFacts
    roots: tuple[TrustRoot, ...]
    policy: AppraisalPolicy
    result: ResultBundle | None

    @property
    def studies(self) -> Domain:
        """What receipts are signed for."""
        return Domain(self.facts.addresses.chain_id, self.facts.addresses.studies)

    @property
    def sessions(self) -> Domain:
        """What votes are signed for."""
        return Domain(self.facts.addresses.chain_id, self.facts.addresses.sessions)

    @property
    def funded(self) -> Funded:
        """The funding, or the failure of whatever check needs it."""
        event = self.facts.funded and self.facts.funded.event
        if not isinstance(event, Funded):
            raise IntegrityError("audit.funded", "the ledger knows of no funding of the receipt's study")
        return event

    @property
    def settled(self) -> Settled:
        """The settlement, or the failure of whatever check needs it."""
        event = self.facts.settled and self.facts.settled.event
        if not isinstance(event, Settled):
            raise IntegrityError("audit.settled", "the ledger knows of no settlement of the receipt's study")
        return event

    @property
    def session(self) -> SessionRegistered:
        """The session's registration, or the failure of whatever check needs it."""
        event = self.facts.session and self.facts.session.event
        if not isinstance(event, SessionRegistered):
            raise IntegrityError("audit.session", "the receipt's session is not registered on the ledger")
        return event

    def require_moved(self, placed: LedgerEvent | None, expected: list[Transfer], what: str) -> None:
        """Require that exactly these tokens moved just before an event; amounts of zero move nothing."""
        wanted = [transfer for transfer in expected if transfer.amount]
        moved = self.facts.transfers.get(placed.transaction_hash, ()) if placed else ()
        before = [item.transfer for item in moved if placed and item.log_index < placed.log_index]
        require(before[len(before) - len(wanted) :] == wanted, f"the tokens did not move as {what} says")
