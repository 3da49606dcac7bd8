"""One study's run, as three durable workflows: match and order; settle and pay; or, after the deadline, give back.

What is between them, an enclave's work or a deadline, nobody waits for: the enclave's report starts the second, and
:func:`close_overdue` the third. DBOS keeps after every step what it returned, so that a hub that is killed goes on
with the step it was in. Every step is idempotent on its own: the database ignores what it has, the ledger what it
has seen.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import ParamSpec

import structlog
from dbos import DBOS, DBOSConfiguredInstance, SetWorkflowID
from sqlalchemy import Connection, Engine

from nebula.database import reading, writing
from nebula.hub import outputs, state
from nebula.hub.effects import Effects
from nebula.hub.match import choose, match
from nebula.hub.settle import GOES_BACK, OVER, TOO_LATE, WENT_BACK, pay_subtree, settle, subtrees
from nebula.hub.state import RunState
from nebula.ledger.client.studies import StudyState
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.funding import funding_of, run_id
from nebula.protocol.ids import Hash32
from nebula.protocol.merkle import SUBTREE, MerkleTree, payout_tree
from nebula.protocol.receipt import Receipt
from nebula.protocol.study import StudyDocument
from nebula.transport.client import Clock, Peer, system_clock

RETRY_SECONDS = 1.0
P = ParamSpec("P")
_log = structlog.get_logger()


def _is_away(error: BaseException) -> bool:
    return isinstance(error, UnavailableError)


_durable = DBOS.step(
    retries_allowed=True, max_attempts=2**31, interval_seconds=RETRY_SECONDS, backoff_rate=1.0, should_retry=_is_away
)
"""A step that is tried again for as long as something is away: the ledger, the keepers, the database.

A refusal is no error to such a step, but what it returns: DBOS keeps it, and a hub that is killed then goes on from it.
"""


@dataclass(frozen=True, slots=True)
class Parties:
    """Whom the workflow talks to."""

    engine: Engine
    effects: Effects
    keepers: Callable[[StudyDocument], list[Peer]]
    clock: Clock = system_clock


class PayoutTrees:
    """The payout tree of the run that is being paid: built once, not once for each of its sub-trees."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._built: tuple[Hash32, MerkleTree] | None = None

    def of(self, connection: Connection, receipt: Receipt) -> MerkleTree:
        """Return the tree that a receipt commits to."""
        with self._lock:
            if self._built is None or self._built[0] != receipt.payout_root:
                tree = payout_tree(outputs.kept_payouts(connection, receipt.run, receipt.session))
                self._built = (receipt.payout_root, tree)
            return self._built[1]


@DBOS.dbos_class()
class Runs(DBOSConfiguredInstance):
    """The workflow and its steps."""

    def __init__(self, name: str, parties: Parties) -> None:
        self._parties = parties
        self._trees = PayoutTrees()
        super().__init__(config_name=name)

    @DBOS.workflow()
    def place_order(self, study: Hash32) -> bool:
        """Match, and place the order; False when the run has failed."""
        return self.choose_candidates(study, run_id(study))

    @DBOS.workflow()
    def settle_and_pay(self, run: Hash32) -> str:
        """Split the escrow by a run's receipt and pay its owners; returns the run's last state."""
        if not self.settle_escrow(run):
            return RunState.FAILED.value
        for subtree in self.random_order(run):
            self.pay(run, subtree)
        return self.close(run)

    @DBOS.workflow()
    def give_back(self, run: Hash32, study: Hash32) -> str:
        """Give a failed run's escrow back to its buyer; returns the run's last state."""
        return self.refund(run, study)

    @_durable
    def choose_candidates(self, study: Hash32, run: Hash32) -> bool:
        """Match, and place the order; False when the run has failed: too few records match, or the time is over."""
        with reading(self._parties.engine) as connection:
            document = state.get_study(connection, study)
            found = state.get_run(connection, run)
        if found.state is not RunState.MATCHING:
            return found.state is not RunState.FAILED
        if self._parties.clock().timestamp() > document.deadline:
            self._note(run, RunState.FAILED, TOO_LATE)
            return False
        with self._waiting(run):
            matching = match(document, self._parties.keepers(document), threshold=document.keeper_threshold)
        chosen = choose(matching.records, document)
        with writing(self._parties.engine) as connection:
            if len(chosen) < document.min_records:
                detail = f"fewer records match than the {document.min_records:,} that the study needs; {GOES_BACK}"
                state.set_state(connection, run, RunState.FAILED, detail)
                return False
            state.add_candidates(connection, run, chosen)
            state.set_state(connection, run, RunState.ORDERED, "waiting for an enclave")
        return True

    @_durable
    def settle_escrow(self, run: Hash32) -> bool:
        """Split the escrow by the receipt; False when the ledger refuses it, and why is noted."""
        with reading(self._parties.engine) as connection:
            public = outputs.get_public_run(connection, run)
        try:
            with self._waiting(run):
                settle(self._parties.effects, public)
        except NotPermittedError as error:
            self._note(run, RunState.FAILED, f"{error.message}; {GOES_BACK}")
            return False
        self._note(run, RunState.SETTLED, None)
        return True

    @_durable
    def random_order(self, run: Hash32) -> list[int]:
        """The sub-trees in random order, kept by DBOS, so that a restart does not draw again."""
        with reading(self._parties.engine) as connection:
            order = list(subtrees(outputs.get_public_run(connection, run)))
        random.SystemRandom().shuffle(order)
        return order

    @_durable
    def pay(self, run: Hash32, subtree: int) -> None:
        """Pay one sub-tree. Where the ledger refuses it, its owners still can claim, each alone."""
        first = subtree * SUBTREE
        with reading(self._parties.engine) as connection:
            public = outputs.get_public_run(connection, run)
            members, _ = outputs.page_of_payouts(connection, run, after=first, limit=SUBTREE)
            tree = self._trees.of(connection, public.signed.receipt)
        try:
            with self._waiting(run):
                pay_subtree(self._parties.effects, public, tree, members, subtree)
        except NotPermittedError as error:
            _log.error("unpaid", run=run, code=error.code, message=error.message)

    @_durable
    def close(self, run: Hash32) -> str:
        """Everything is paid."""
        self._note(run, RunState.PAID, None)
        return RunState.PAID.value

    @_durable
    def refund(self, run: Hash32, study: Hash32) -> str:
        """Give the escrow back, unless its buyer took it already."""
        with reading(self._parties.engine) as connection:
            document, found = state.get_study(connection, study), state.get_run(connection, run)
        self._parties.effects.refund(funding_of(document))
        reason = (found.detail or "").removesuffix(GOES_BACK)
        self._note(run, RunState.REFUNDED, f"{reason}{WENT_BACK}")
        return RunState.REFUNDED.value

    def _note(self, run: Hash32, reached: RunState, detail: str | None) -> None:
        with writing(self._parties.engine) as connection:
            state.set_state(connection, run, reached, detail)

    @contextmanager
    def _waiting(self, run: Hash32) -> Iterator[None]:
        """Say what a run waits for, so that its buyer need not guess."""
        try:
            yield
        except UnavailableError as error:
            with writing(self._parties.engine) as connection:
                state.set_detail(connection, run, f"waiting: {error.message}")
            raise


def start_run(runs: Runs, parties: Parties, study: Hash32) -> Hash32:
    """Start a funded study's run, or find it; asking again changes nothing.

    Raises:
        NotPermittedError: the study is not funded.
    """
    run = run_id(study)
    with reading(parties.engine) as connection:
        document = state.get_study(connection, study)
        is_known = state.has_run(connection, run)
    if not is_known and parties.effects.study_state(study) is not StudyState.FUNDED:
        raise NotPermittedError(
            "hub.not-funded", "this study has no open escrow", hint=f"first `nebula study fund {study[:12]}`"
        )
    with writing(parties.engine) as connection:
        state.add_run(connection, run, study, deadline=document.deadline)
    _start(run, runs.place_order, study)
    return run


def settle_run(runs: Runs, run: Hash32) -> None:
    """Have a reported run settled and paid; asking again changes nothing."""
    _start(f"{run}-pay", runs.settle_and_pay, run)


def go_on(runs: Runs, parties: Parties) -> None:
    """After a start of the hub: begin what was decided on and not begun when it was killed.

    What has begun, DBOS goes on with by itself.
    """
    with reading(parties.engine) as connection:
        unfinished = state.runs_at(connection, RunState.MATCHING, RunState.REPORTED, RunState.SETTLED)
    for run in unfinished:
        if run.state is RunState.MATCHING:
            _start(run.run, runs.place_order, run.study)
        else:
            settle_run(runs, run.run)


def close_overdue(runs: Runs, parties: Parties) -> None:
    """End runs of which no result came by their study's deadline, and have failed ones' escrow given back."""
    now = parties.clock().timestamp()
    with writing(parties.engine) as connection:
        for run in state.runs_at(connection, RunState.ORDERED, overdue_at=now):
            stands = state.get_study(connection, run.study).is_discovery
            state.set_state(connection, run.run, RunState.FAILED, OVER if stands else TOO_LATE)
        failed = state.runs_at(connection, RunState.FAILED, overdue_at=now)
    for run in failed:
        _start(f"{run.run}-back", runs.give_back, run.run, run.study)


def _start(name: str, workflow: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
    with SetWorkflowID(name):
        DBOS.start_workflow(workflow, *arguments, **named)
