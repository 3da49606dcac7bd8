"""The enclave host's side of a run: it asks for work, hands in votes, and hands in what left the enclave.

SECURITY: a host is trusted with nothing. It can leave an order undone or hand in garbage; it cannot make a
receipt, because the ledger settles only on a session that the keepers vouched for.
"""

from collections.abc import Callable, Iterator
from itertools import count

from sqlalchemy import Connection, Engine

from nebula.database import reading, writing
from nebula.hub import outputs, state
from nebula.hub.effects import Effects
from nebula.hub.match import choose
from nebula.hub.settle import GOES_BACK, check_head, check_owners
from nebula.hub.state import Run, RunState
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import (
    Accepted,
    CandidatesAnswer,
    CandidatesRequest,
    OrderAnswer,
    OrderRequest,
    OwnersReport,
    RunOrder,
    RunProgress,
    RunReport,
    SessionAnswer,
    SessionRequest,
)
from nebula.protocol.receipt import OwnersPage, PublicRun, RunHead
from nebula.protocol.study import StudyDocument
from nebula.protocol.typed_data import Domain


class Orders:
    """Answers the enclave hosts that this hub works with."""

    def __init__(
        self,
        engine: Engine,
        effects: Effects,
        *,
        studies: Domain,
        hosts: frozenset[Address],
        settle: Callable[[Hash32], None],
        match: Callable[[StudyDocument], tuple[Address, ...]],
    ) -> None:
        self._engine = engine
        self._effects = effects
        self._studies = studies
        self._hosts = hosts
        self._settle = settle
        self._match = match
        self._turns = count(1)
        self._given: dict[Hash32, int] = {}

    def next_order(self, request: OrderRequest, sender: Address) -> OrderAnswer:
        """Return that order of this kind for this measurement which was not given for longest; at first, the oldest.

        So no order keeps the others waiting, neither one that fails again and again nor a discovery, which stands for
        weeks. A discovery's order names those who match at this moment: whoever has joined since its last session is
        in. One that too few match, or whose keepers are away, is passed over.

        Raises:
            NotPermittedError: ``hub.host``.
            UnavailableError: the keepers of each discovery that there is are away.
        """
        self._check_host(sender)
        with reading(self._engine) as connection:
            orders = list(self._find(connection, request))
        away: UnavailableError | None = None
        for order in sorted(orders, key=lambda order: self._given.get(order.run, 0)):
            self._given[order.run] = next(self._turns)
            try:
                if not order.study.is_discovery or self._is_prepared(order):
                    return OrderAnswer(order=order)
            except UnavailableError as error:
                away = error
        if away is not None:
            raise away
        return OrderAnswer(order=None)

    def _is_prepared(self, discovery: RunOrder) -> bool:
        """Name those who match a discovery now; False where they are too few."""
        records = self._match(discovery.study)
        if len(records) < discovery.study.min_records:
            return False
        with writing(self._engine) as connection:
            before, _ = state.page_of_candidates(
                connection, discovery.run, after=None, limit=discovery.study.max_records
            )
            chosen = choose(records, discovery.study, before=before)
            state.replace_candidates(connection, discovery.run, chosen)
        return True

    @staticmethod
    def _find(connection: Connection, request: OrderRequest) -> Iterator[RunOrder]:
        for run, study in state.open_orders(connection):
            is_asked_for = study.is_discovery == (request.work == "discoveries")
            if is_asked_for and study.measurement == request.measurement:
                yield RunOrder(study=study, run=run)

    def candidates(self, request: CandidatesRequest, sender: Address) -> CandidatesAnswer:
        """Return a page of the records that an order names."""
        self._check_host(sender)
        with reading(self._engine) as connection:
            state.get_run(connection, request.run)
            records, more = state.page_of_candidates(connection, request.run, after=request.after, limit=request.limit)
        return CandidatesAnswer(records=records, more=more)

    def register_session(self, request: SessionRequest, sender: Address) -> SessionAnswer:
        """Put a session that keepers voted for on the ledger."""
        self._check_host(sender)
        with writing(self._engine) as connection:
            state.get_run(connection, request.run)
            state.keep_session(connection, request, sender)
        mined = self._effects.register_session(request.evidence, request.votes)
        return SessionAnswer(transaction=mined.transaction, block_number=mined.block_number)

    def progress(self, request: RunProgress, sender: Address) -> Accepted:
        """Note how far an enclave is, for those who wait."""
        self._check_host(sender)
        with writing(self._engine) as connection:
            told = f"{request.stage} {request.done}/{request.total}"
            state.set_detail(connection, request.run, told, only=RunState.ORDERED)
        return Accepted()

    def owners(self, request: OwnersReport, sender: Address) -> Accepted:
        """Keep a page of what a registered session has for owners; keeping it again changes nothing.

        SECURITY: the first page of its number counts, so another host's would spoil the run.

        Raises:
            NotPermittedError: ``hub.host``; another host runs the session.
            RejectedInputError: ``hub.session``, ``hub.owners``: of no session of this run, or beyond what it can pay.
        """
        self._check_host(sender)
        with writing(self._engine) as connection:
            run = state.get_run(connection, request.run)
            if run.state is RunState.ORDERED:
                session = state.get_session(connection, request.session)
                if state.host_of(connection, request.session) != sender:
                    raise NotPermittedError("hub.host", f"session {request.session} is not run by {sender}")
                end = request.page.first + len(request.page.payouts)
                if session.run != request.run or end > session.evidence.study.max_records:
                    raise RejectedInputError("hub.owners", "these are no payouts that this run can have")
                _check_numbers(request.page)
                outputs.keep_owners(connection, request.run, request.session, request.page)
        return Accepted()

    def report(self, request: RunReport, sender: Address) -> Accepted:
        """Keep what left the enclave last, or why nothing did, and let the run go on.

        Raises:
            IntegrityError: the parts do not belong together, or are another run's.
            RejectedInputError: ``hub.session``; of a session that was not handed in. Or nobody signed the statement.
        """
        self._check_host(sender)
        with writing(self._engine) as connection:
            run = state.get_run(connection, request.run)
            if run.state is RunState.ORDERED:
                if request.head is None:
                    reason = request.error.message if request.error else "the enclave gave no reason"
                    state.set_state(connection, request.run, RunState.FAILED, f"{reason}; {GOES_BACK}")
                else:
                    self._keep(connection, run, request.head)
            is_reported = state.get_run(connection, request.run).state is RunState.REPORTED
        if is_reported:
            self._settle(request.run)
        return Accepted()

    def _keep(self, connection: Connection, run: Run, head: RunHead) -> None:
        check_head(head, study=state.get_study(connection, run.study), run=run.run)
        receipt = head.signed.receipt
        session = state.get_session(connection, receipt.session)
        if session.evidence != head.evidence:
            raise IntegrityError("hub.evidence", "this is not the evidence that the keepers voted on")
        payouts = outputs.kept_payouts(connection, run.run, receipt.session)
        leaves = outputs.kept_leaves(connection, run.run, receipt.session)
        check_owners(head, payouts, leaves, studies=self._studies)
        public = PublicRun(
            signed=head.signed,
            evidence=head.evidence,
            collateral=session.collateral,
            votes=session.votes,
            payouts=(),
            statement=head.statement,
        )
        outputs.keep_output(connection, public, head.sealed_result)

    def _check_host(self, sender: Address) -> None:
        if sender not in self._hosts:
            raise NotPermittedError("hub.host", f"{sender} is no enclave host of this hub")


def _check_numbers(page: OwnersPage) -> None:
    if len(page.leaves) != len(page.payouts):
        raise RejectedInputError("hub.owners", "a page has as many leaves as payouts")
    if any(payout.index != index for index, payout in enumerate(page.payouts, page.first)):
        raise RejectedInputError("hub.owners", "a page's payouts are not numbered as it says")
