"""Whichever keepers a study names, and whichever of them are up: all of them together give no more than the budget."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from keeper.world import NOW, EnclaveSession, Owner, World
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.keeper.confirm import confirm
from nebula.protocol.funding import study_id
from nebula.protocol.messages import ConfirmRequest
from nebula.protocol.record import Dealing
from simulators.sgx import SgxHardware

BUDGET = 100
KEEPERS = 4
_folder = TemporaryDirectory()
_HARDWARE = SgxHardware(DevelopmentPki.create(Path(_folder.name) / "pki", at=NOW), at=NOW)
some_keepers = st.sets(st.integers(0, KEEPERS - 1), min_size=1)
micro_rho = st.integers(0, 10_000_000)


@st.composite
def dealings(draw: st.DrawFn) -> Dealing:
    keepers = draw(st.integers(2, 32))
    return Dealing(keepers=keepers, threshold=draw(st.integers(2, keepers)))


@given(dealings(), micro_rho, st.integers(0, 10_000_000_000))
def test_keepers_together_never_let_out_more_than_the_budget(dealing: Dealing, price: int, budget: int) -> None:
    if price:
        studies_of_one_keeper = budget // dealing.charge(price)
        studies_of_all = studies_of_one_keeper * dealing.keepers // dealing.threshold
        assert studies_of_all * price <= budget


@given(dealings(), micro_rho)
def test_a_charge_is_never_less_than_the_price_and_the_price_where_all_must_pay(dealing: Dealing, price: int) -> None:
    assert dealing.charge(price) >= price
    assert Dealing(keepers=dealing.keepers, threshold=dealing.keepers).charge(price) == price


class Keepers(RuleBasedStateMachine):
    """One record among four keepers, any two or three of which give its key back; outages are who is not asked.

    A session here is one session at each keeper, of the same run. What it drew left the enclave when as many keepers as
    the threshold released the record to it and confirmed it: the most that a hub, a host and a buyer bring about,
    who choose the keepers of every step.
    """

    @initialize(threshold=st.integers(2, 3))
    def begin(self, threshold: int) -> None:
        self.folder = TemporaryDirectory()
        self.dealing = Dealing(keepers=KEEPERS, threshold=threshold)
        self.worlds = [
            World(f"sqlite:///{self.folder.name}/keeper-{place}.db", _HARDWARE, dealing=self.dealing)
            for place in range(KEEPERS)
        ]
        self.owners: list[Owner] = [world.owner(privacy_budget_micro_rho=BUDGET) for world in self.worlds]
        self.sessions: list[dict[int, EnclaveSession]] = []
        self.prices: list[int] = []
        self.released: list[set[int]] = []
        self.confirmed: list[set[int]] = []

    def add(self, sessions: dict[int, EnclaveSession], price: int) -> None:
        self.sessions.append(sessions)
        self.prices.append(price)
        self.released.append(set())
        self.confirmed.append(set())

    @rule(price=st.sampled_from([7, 20, 33]), named=some_keepers)
    def start(self, price: int, named: set[int]) -> None:
        run = "0x" + f"{len(self.sessions) + 1:064x}"
        studies = {at: self.worlds[at].study(privacy_micro_rho=price) for at in named}
        self.add({at: self.worlds[at].session(study, run) for at, study in studies.items()}, price)

    @rule(place=st.integers(0, 9))
    def restart(self, place: int) -> None:
        if self.sessions:
            old = self.sessions[place % len(self.sessions)]
            again = {at: self.worlds[at].session(session.study, session.run) for at, session in old.items()}
            self.add(again, self.prices[place % len(self.prices)])

    @rule(place=st.integers(0, 9), up=some_keepers)
    def release(self, place: int, up: set[int]) -> None:
        if not self.sessions:
            return
        number = place % len(self.sessions)
        for at, session in self.sessions[number].items():
            if at in up and self.worlds[at].release(session, self.owners[at].record).released:
                self.released[number].add(at)

    @rule(place=st.integers(0, 9), up=some_keepers)
    def confirm(self, place: int, up: set[int]) -> None:
        if not self.sessions:
            return
        number = place % len(self.sessions)
        for at in up & self.released[number]:
            session = self.sessions[number][at]
            request = ConfirmRequest(study=study_id(session.study), run=session.run, records=(self.owners[at].record,))
            if not confirm(self.worlds[at].keeper, request, session.address).refused:
                self.confirmed[number].add(at)

    @invariant()
    def all_draws_together_stay_within_the_budget(self) -> None:
        drawn = (
            price
            for price, confirmed in zip(self.prices, self.confirmed, strict=True)
            if len(confirmed) >= self.dealing.threshold
        )
        assert sum(drawn) <= BUDGET

    def teardown(self) -> None:
        for world in self.worlds:
            world.engine.dispose()
        self.folder.cleanup()


TestKeepers = Keepers.TestCase
TestKeepers.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)


def test_three_pairs_of_three_keepers_cannot_each_give_the_whole_budget() -> None:
    with TemporaryDirectory() as folder:
        worlds = [
            World(f"sqlite:///{folder}/{place}.db", _HARDWARE, dealing=Dealing(keepers=3, threshold=2))
            for place in range(3)
        ]
        owners = [world.owner(privacy_budget_micro_rho=BUDGET) for world in worlds]
        given_away = 0
        for number, pair in enumerate([(0, 1), (1, 2), (0, 2)], start=1):
            answers = []
            for place in pair:
                study = worlds[place].study(privacy_micro_rho=BUDGET // 2)
                session = worlds[place].session(study, "0x" + f"{number:064x}")
                answers.append(worlds[place].release(session, owners[place].record).released)
            given_away += BUDGET // 2 * all(answers)
        assert given_away == BUDGET // 2
        for world in worlds:
            world.engine.dispose()
