"""One study's run, as a durable workflow: match, order, wait for the enclave, settle, pay.

DBOS keeps after every step what it returned, so that a hub that is killed goes on with the step it was in.
Every step is idempotent on its own: the database ignores what it has, the ledger what it has seen.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from dbos import DBOS, DBOSConfiguredInstance, SetWorkflowID
from sqlalchemy import Engine

from nebula.database import reading, writing
from nebula.hub import state
from nebula.hub.effects import Effects
from nebula.hub.match import Matching, match
from nebula.hub.settle import pay_subtree, settle, subtrees
from nebula.hub.state import RunState
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.funding import run_id
from nebula.protocol.ids import Hash32
from nebula.protocol.study import StudyDocument
from nebula.transport.client import Peer

REPORTED = "reported"
_durable = DBOS.step(retries_allowed=True, max_attempts=1000, interval_seconds=1.0, backoff_rate=1.2)
"""A step that is tried again while something is away: the ledger, the keepers, the database."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Whom the workflow talks to."""

    engine: Engine
    effects: Effects
    keepers: Callable[[StudyDocument], list[Peer]]


@DBOS.dbos_class()
class Runs(DBOSConfiguredInstance):
    """The workflow and its steps."""

    def __init__(self, name: str, parties: Parties) -> None:
        self._parties = parties
        super().__init__(config_name=name)

    @DBOS.workflow()
    def run_study(self, study: Hash32) -> str:
        """Run one study to its end; returns its last state."""
        run = run_id(study)
        if not self.choose_candidates(study, run):
            return RunState.FAILED.value
        if not self.is_reported(run):
            DBOS.recv(REPORTED, timeout_seconds=self.seconds_left(study))
        if not self.is_reported(run):
            return self.give_up(run)
        self.settle_escrow(run)
        for subtree in self.random_order(run):
            self.pay(run, subtree)
        return self.close(run)

    @_durable
    def choose_candidates(self, study: Hash32, run: Hash32) -> bool:
        """Match, and place the order; False when too few records match."""
        with reading(self._parties.engine) as connection:
            document = state.get_study(connection, study)
            if state.get_run(connection, run).state is not RunState.MATCHING:
                return True
        matching = match(document, self._parties.keepers(document), threshold=document.keeper_threshold)
        chosen = _choose(matching, document)
        with writing(self._parties.engine) as connection:
            if len(chosen) < document.min_records:
                detail = f"only {len(chosen)} records match, and the study needs {document.min_records}"
                state.set_state(connection, run, RunState.FAILED, detail)
                return False
            state.add_candidates(connection, run, chosen)
            state.set_state(connection, run, RunState.ORDERED, "waiting for an enclave")
        return True

    @DBOS.step()
    def is_reported(self, run: Hash32) -> bool:
        """Whether an enclave's output is here."""
        with reading(self._parties.engine) as connection:
            return state.get_run(connection, run).state is RunState.REPORTED

    @DBOS.step()
    def seconds_left(self, study: Hash32) -> float:
        """How long an output can still be settled."""
        with reading(self._parties.engine) as connection:
            deadline = state.get_study(connection, study).deadline
        return max(0.0, deadline - datetime.now(UTC).timestamp())

    @DBOS.step()
    def give_up(self, run: Hash32) -> str:
        """The deadline has passed, or the enclave said why it cannot: the escrow goes back to the buyer."""
        with writing(self._parties.engine) as connection:
            if state.get_run(connection, run).state is not RunState.FAILED:
                detail = "no output came by the study's deadline; its escrow goes back"
                state.set_state(connection, run, RunState.FAILED, detail)
        return RunState.FAILED.value

    @_durable
    def settle_escrow(self, run: Hash32) -> None:
        """Split the escrow by the receipt."""
        with reading(self._parties.engine) as connection:
            public = state.get_public_run(connection, run)
        settle(self._parties.effects, public)
        with writing(self._parties.engine) as connection:
            state.set_state(connection, run, RunState.SETTLED)

    @DBOS.step()
    def random_order(self, run: Hash32) -> list[int]:
        """The sub-trees in random order, kept by DBOS, so that a restart does not draw again."""
        with reading(self._parties.engine) as connection:
            order = list(subtrees(state.get_public_run(connection, run)))
        random.SystemRandom().shuffle(order)
        return order

    @_durable
    def pay(self, run: Hash32, subtree: int) -> None:
        """Pay one sub-tree."""
        with reading(self._parties.engine) as connection:
            public = state.get_public_run(connection, run)
        pay_subtree(self._parties.effects, public, subtree)

    @DBOS.step()
    def close(self, run: Hash32) -> str:
        """Everything is paid."""
        with writing(self._parties.engine) as connection:
            state.set_state(connection, run, RunState.PAID)
        return RunState.PAID.value


def start_run(runs: Runs, parties: Parties, study: Hash32) -> Hash32:
    """Start a funded study's run, or find it; asking again changes nothing.

    Raises:
        NotPermittedError: the study is not funded.
    """
    run = run_id(study)
    with reading(parties.engine) as connection:
        state.get_study(connection, study)
    if parties.effects.study_state(study) in (StudyState.UNKNOWN, StudyState.REFUNDED):
        raise NotPermittedError("hub.not-funded", "this study has no open escrow", hint="`nebula study fund` it first")
    with writing(parties.engine) as connection:
        state.add_run(connection, run, study)
    with SetWorkflowID(run):
        DBOS.start_workflow(runs.run_study, study)
    return run


def _choose(matching: Matching, study: StudyDocument) -> tuple[str, ...]:
    """At most as many records as the buyer paid for, drawn by chance: nobody is favoured by their id."""
    if len(matching.records) <= study.max_records:
        return matching.records
    return tuple(sorted(random.SystemRandom().sample(matching.records, study.max_records)))


def wake(run: Hash32) -> None:
    """Tell a run's workflow that its enclave has reported; telling it twice changes nothing."""
    DBOS.send(run, REPORTED, topic=REPORTED, idempotency_key=f"{run}-{REPORTED}")
