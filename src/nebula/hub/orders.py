"""The enclave host's side of a run: it asks for work, hands in votes, and hands in what left the enclave.

SECURITY: a host is trusted with nothing. It can leave an order undone or hand in garbage; it cannot make a
receipt, because the ledger settles only on a session that the keepers vouched for.
"""

from collections.abc import Callable

from sqlalchemy import Engine

from nebula.database import reading, writing
from nebula.hub import state
from nebula.hub.effects import Effects
from nebula.hub.settle import GOES_BACK, check_output
from nebula.hub.state import RunState
from nebula.protocol.errors import IntegrityError, NotPermittedError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import (
    Accepted,
    OrderAnswer,
    OrderRequest,
    RunOrder,
    RunProgress,
    RunReport,
    SessionAnswer,
    SessionRequest,
)
from nebula.protocol.receipt import PublicRun


class Orders:
    """Answers the enclave hosts that this hub works with."""

    def __init__(
        self, engine: Engine, effects: Effects, *, hosts: frozenset[Address], settle: Callable[[Hash32], None]
    ) -> None:
        self._engine = engine
        self._effects = effects
        self._hosts = hosts
        self._settle = settle

    def next_order(self, request: OrderRequest, sender: Address) -> OrderAnswer:
        """Return the oldest order for this measurement; the same again until it is reported."""
        self._check_host(sender)
        with reading(self._engine) as connection:
            for run in state.open_orders(connection):
                found = state.get_run(connection, run)
                study = state.get_study(connection, found.study)
                if study.measurement == request.measurement:
                    records = state.get_candidates(connection, run)
                    return OrderAnswer(order=RunOrder(study=study, run=run, records=records))
        return OrderAnswer(order=None)

    def register_session(self, request: SessionRequest, sender: Address) -> SessionAnswer:
        """Put a session that keepers voted for on the ledger."""
        self._check_host(sender)
        with writing(self._engine) as connection:
            state.get_run(connection, request.run)
            state.keep_session(connection, request)
        mined = self._effects.register_session(request.evidence, request.votes)
        return SessionAnswer(transaction=mined.transaction, block_number=mined.block_number)

    def progress(self, request: RunProgress, sender: Address) -> Accepted:
        """Note how far an enclave is, for those who wait."""
        self._check_host(sender)
        with writing(self._engine) as connection:
            told = f"{request.stage} {request.done}/{request.total}"
            state.set_detail(connection, request.run, told, only=RunState.ORDERED)
        return Accepted()

    def report(self, request: RunReport, sender: Address) -> Accepted:
        """Keep what left the enclave, or why nothing did, and let the run go on."""
        self._check_host(sender)
        with writing(self._engine) as connection:
            run = state.get_run(connection, request.run)
            if run.state is RunState.ORDERED:
                if request.output is None:
                    reason = request.error.message if request.error else "the enclave gave no reason"
                    reason = f"{reason}; {GOES_BACK}"
                    state.set_state(connection, request.run, RunState.FAILED, reason)
                else:
                    study = state.get_study(connection, run.study)
                    output = check_output(request.output, study=study, run=request.run)
                    session = state.get_session(connection, output.signed.receipt.session)
                    if session.evidence != output.evidence:
                        raise IntegrityError("hub.evidence", "this is not the evidence that the keepers voted on")
                    public = PublicRun(
                        signed=output.signed,
                        evidence=output.evidence,
                        collateral=session.collateral,
                        votes=session.votes,
                        payouts=output.payouts,
                        dropped=output.dropped,
                    )
                    state.keep_output(connection, public, output.leaves, output.sealed_result)
            is_reported = state.get_run(connection, request.run).state is RunState.REPORTED
        if is_reported:
            self._settle(request.run)
        return Accepted()

    def _check_host(self, sender: Address) -> None:
        if sender not in self._hosts:
            raise NotPermittedError("hub.host", f"{sender} is no enclave host of this hub")
