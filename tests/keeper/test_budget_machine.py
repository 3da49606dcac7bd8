"""Whatever happens in whatever order: no budget is overspent, no draw is paid twice, the log tells it all."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from keeper.world import NOW, EnclaveSession, Owner, World
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.database import reading
from nebula.keeper import log
from nebula.keeper.budgets import spent_budgets
from nebula.keeper.confirm import confirm
from nebula.keeper.forget import forget
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import ConfirmRequest
from simulators.sgx import SgxHardware

BUDGET = 100
_folder = TemporaryDirectory()
_HARDWARE = SgxHardware(DevelopmentPki.create(Path(_folder.name) / "pki", at=NOW), at=NOW)
places = st.integers(0, 2)


class Keeping(RuleBasedStateMachine):
    """Three owners, studies of three prices, sessions that start, restart, ask and ask again."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.world = World(f"sqlite:///{self.folder.name}/keeper.db", _HARDWARE)
        self.owners: list[Owner] = [self.world.owner(privacy_budget_micro_rho=BUDGET) for _ in range(3)]
        self.versions = [1, 1, 1]
        self.live = [True, True, True]
        self.sessions: list[EnclaveSession] = []
        self.paid: dict[tuple[str, str], int] = {}
        self.drawn: dict[tuple[str, str], set[str]] = {}
        self.runs = 0

    @rule(price=st.sampled_from([0, 30, 60]))
    def start(self, price: int) -> None:
        self.runs += 1
        study = self.world.study(privacy_micro_rho=price)
        self.sessions.append(self.world.session(study, run="0x" + f"{self.runs:064x}"))

    @rule(place=st.integers(0, 9))
    def restart_session(self, place: int) -> None:
        if self.sessions:
            old = self.sessions[place % len(self.sessions)]
            self.sessions.append(self.world.session(old.study, old.run))

    @rule(place=st.integers(0, 9), who=st.sets(places, min_size=1))
    def release(self, place: int, who: set[int]) -> None:
        if not self.sessions:
            return
        session = self.sessions[place % len(self.sessions)]
        released = {item.record for item in self.world.release(session, *(self.owners[i].record for i in who)).released}
        price = session.study.privacy_micro_rho
        for i in who:
            record = self.owners[i].record
            paid = (record, session.run) in self.paid
            total = sum(amount for (owner, _), amount in self.paid.items() if owner == record)
            expected = self.live[i] and (paid or total + price <= BUDGET)
            assert (record in released) == expected
            if expected and not paid:
                self.paid[record, session.run] = price

    @rule(place=st.integers(0, 9), who=places)
    def confirm(self, place: int, who: int) -> None:
        if not self.sessions:
            return
        session, record = self.sessions[place % len(self.sessions)], self.owners[who].record
        request = ConfirmRequest(study=study_id(session.study), run=session.run, records=(record,))
        refused = confirm(self.world.keeper, request, session.address).refused
        expected, use = self.live[who] and (record, session.run) in self.paid, (record, session.run)
        price = session.study.privacy_micro_rho
        drawers = self.drawn.setdefault(use, set())
        if expected and drawers and session.address not in drawers:
            total = sum(amount for (owner, _), amount in self.paid.items() if owner == record)
            expected = total + price <= BUDGET
            self.paid[use] += price if expected else 0
        assert (refused == ()) == expected
        if expected:
            drawers.add(session.address)

    @rule(place=st.integers(0, 9))
    def use_a_nonce_again(self, place: int) -> None:
        if not self.sessions:
            return
        session = self.sessions[place % len(self.sessions)]
        with pytest.raises(NotPermittedError, match="restart makes a new session"):
            self.world.nonce(session)

    @rule(who=places)
    def withdraw(self, who: int) -> None:
        if self.live[who]:
            self.world.ledger.withdraw(self.owners[who].record)
            self.live[who] = False
            self.versions[who] += 1

    @rule(who=places)
    def come_back(self, who: int) -> None:
        if not self.live[who]:
            owner = self.owners[who]
            self.versions[who] += 1
            version = self.versions[who]
            owner.enrolment = self.world.enrolment(owner.key, owner.policy, owner.bundle, version=version)
            assert self.world.enrol(owner).refused == ()
            self.world.ledger.put(owner.record, owner.commitment, version)
            self.live[who] = True

    @rule()
    def restart_keeper(self) -> None:
        self.world.engine.dispose()
        self.world.keeper = self.world.restarted()

    @rule()
    def forget(self) -> None:
        forget(self.world.keeper, at=self.world.at)

    @invariant()
    def books_and_log_agree(self) -> None:
        totals: dict[str, int] = {}
        for (record, _), amount in self.paid.items():
            totals[record] = totals.get(record, 0) + amount
        with reading(self.world.engine) as connection:
            assert {r: s for r, s in spent_budgets(connection).items() if s} == {r: s for r, s in totals.items() if s}
            log.verify_log(connection)
            for owner in self.owners:
                entries = log.about(connection, owner.record, after=0, limit=10_000)
                assert sum(entry.micro_rho for entry in entries) == totals.get(owner.record, 0)

    def teardown(self) -> None:
        self.world.engine.dispose()
        self.folder.cleanup()


TestKeeping = Keeping.TestCase
TestKeeping.settings = settings(max_examples=12, stateful_step_count=18, deadline=None)
