"""What a buyer does: publish, fund, run, fetch; ``discoverer`` asks discoveries.

Everything is safe to do again: a study's id follows from its content, funding looks at the ledger first, a
study is run once, and a result stays where it is.
"""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import MetaData

from nebula.buyer.discover import Discoverer
from nebula.buyer.settings import BuyerSettings
from nebula.database import open_database
from nebula.ledger.client import LedgerClient, Network
from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.settlements import check_settled, read_settlements
from nebula.ledger.client.studies import StudyState
from nebula.ledger.relay import Outcome, Relay, Status, outbox_table
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.funding import funding_of, run_id, study_id
from nebula.protocol.ids import Hash32
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    PUBLISH,
    RESULT,
    RUN,
    PublishAnswer,
    PublishRequest,
    ResultAnswer,
    ResultRequest,
    RunAnswer,
    RunRequest,
)
from nebula.protocol.receipt import PublicRun, Receipt
from nebula.protocol.record import RESULT_INFO
from nebula.protocol.result import ResultBundle, open_result
from nebula.protocol.sealing import SealingKey, open_sealed
from nebula.protocol.study import StudyDocument
from nebula.protocol.typed_data import permit_digest
from nebula.transport.client import Carrier, Peer, system_clock
from nebula.transport.keyfiles import load_key
from nebula.transport.public import PublicFiles, RunStanding

_tables = MetaData()
_outbox = outbox_table(_tables)


class Buyer:
    """A verified organisation's client."""

    def __init__(self, settings: BuyerSettings, folder: Path) -> None:
        self._measurement = settings.measurement
        self._key = SigningKey.from_secret(load_key(folder / settings.signing_key_file))
        self._sealing_key = SealingKey.from_secret(load_key(folder / settings.sealing_key_file))
        self._network = Network(LedgerClient(settings.ledger_url), settings.network)
        engine = open_database(f"sqlite:///{folder.absolute()}/buyer.sqlite", _tables, party="buyer")
        self._relay = Relay(engine, _outbox, self._network.client, self._key.secret, chain_id=settings.network.chain_id)
        self._public = PublicFiles(settings.hub_url)
        self._hub = Peer(settings.hub_url, settings.hub_address, key=self._key.secret, carrier=Carrier())

        self.discoverer = Discoverer(settings, self._key.secret, self._network, self._public, self._hub, system_clock)

    @property
    def address(self) -> str:
        """The buyer's address on the ledger."""
        return self._key.address

    @property
    def result_key(self) -> bytes:
        """The key that results are sealed to."""
        return self._sealing_key.public_key

    def balance_wei(self) -> int:
        """The buyer's tokens."""
        return self._network.token.balance_wei(self.address)

    def ledger_time(self) -> datetime:
        """The time of the ledger's newest block."""
        return datetime.fromtimestamp(self._network.client.head().timestamp_seconds, UTC)

    def publish(self, study: StudyDocument) -> PublishAnswer:
        """Publish a study and learn roughly how many records would take part."""
        return self._hub.ask(PUBLISH, PublishRequest(study=study), PublishAnswer)

    def fund(self, study: StudyDocument) -> Outcome | None:
        """Lock the study's escrow; None when it is locked already.

        Raises:
            NotPermittedError: the ledger refuses: no standing, not enough tokens, a deadline that has passed; or as
                :meth:`require_runnable`.
        """
        funding = funding_of(study)
        if self._network.studies.state_of(funding.study) is not StudyState.UNKNOWN:
            return None
        self.require_runnable(study)
        domain = self._network.token.domain(self._network.addresses.chain_id)
        digest = permit_digest(
            domain,
            self.address,
            self._network.addresses.studies,
            amount_wei=funding.escrow_wei,
            nonce=self._network.token.permit_nonce(self.address),
            deadline=study.deadline,
        )
        key = self._relay.open_attempt(f"fund-{funding.study}")  # what was refused before may be possible now
        if self._relay.outcome(key) is None:
            call = self._network.studies.fund_with_permit(
                funding, permit_deadline=study.deadline, signature=self._key.sign_digest(digest)
            )
            self._relay.submit(key, call)
        return self._relay.wait(key)

    def require_runnable(self, study: StudyDocument) -> None:
        """Check that a session of the code that a study names can come: that it could run at all.

        Raises:
            NotPermittedError: ``study.code``; the ledger does not approve the code, or this network has left it behind.
        """
        approval = self._network.sessions.approval(study.measurement, study.trust_root)
        if approval is Approval.NONE or self._measurement not in (None, study.measurement):
            raise NotPermittedError(
                "study.code",
                f"the study names enclave code {study.measurement}, which runs here no more: it could only wait",
                hint="publish the study again; it then names the code that runs now",
            )

    def run(self, study: StudyDocument) -> RunAnswer:
        """Have a funded study run, or learn where its run stands."""
        return self._hub.ask(RUN, RunRequest(study=study_id(study)), RunAnswer)

    def result(self, receipt: Receipt) -> ResultBundle:
        """Fetch and open a run's result.

        Raises:
            IntegrityError: it is not the result that the receipt commits to.
        """
        sealed = self._hub.ask(RESULT, ResultRequest(run=receipt.run), ResultAnswer).sealed_result
        opened = open_sealed(self._sealing_key, sealed, info=RESULT_INFO, aad=receipt.run.encode())
        return open_result(opened.reveal(), expected_digest=receipt.result_digest)

    def standing(self, study: StudyDocument) -> RunStanding | None:
        """Where a study's run stands, by the hub; None while it was never started."""
        return self._public.run_standing(run_id(study_id(study)))

    def public_run(self, study: StudyDocument) -> PublicRun:
        """Fetch the public file of a study's run, and check that the ledger settled on its receipt.

        Raises:
            UnavailableError: the ledger has not settled the study (yet), or the hub is away.
            IntegrityError: the hub hands out another run, or another receipt.
        """
        addresses = self._network.addresses
        settled = read_settlements(
            self._network.client, addresses.studies, first_block=addresses.deployed_block, study=study_id(study)
        )
        public = self._public.run(run_id(study_id(study)))
        if not settled or public is None:
            raise UnavailableError(
                "study.not-settled",
                "the study is not settled yet",
                hint=f"`nebula study run {study_id(study)[:12]} --follow` waits for it",
            )
        return check_settled(public, settled[0], self._network.studies.domain(addresses.chain_id))

    def refund(self, study: StudyDocument) -> Outcome | None:
        """Take a study's whole escrow back after its deadline; None when it was taken back already.

        Raises:
            NotPermittedError: the deadline has not passed, or the study was settled or never funded.
        """
        funding = funding_of(study)
        if self._network.studies.state_of(funding.study) is StudyState.REFUNDED:
            return None
        key = f"refund-{funding.study}"
        outcome = self._relay.outcome(key)
        if outcome is None or outcome.status is Status.REVERTED:
            key = key if outcome is None else f"{key}-{self._network.client.head().number}"
            self._relay.submit(key, self._network.studies.refund(funding))
        return self._relay.wait(key)

    def has_settled(self, study: StudyDocument) -> bool:
        """Whether a study has a result, by the ledger."""
        return self.study_state(study_id(study)) is StudyState.SETTLED

    def study_state(self, study: Hash32) -> StudyState:
        """Where a study's money is, by the ledger."""
        return self._network.studies.state_of(study)
