"""Whatever anybody does in whatever order: money is conserved, versions grow, nothing happens twice."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.deployment import (
    FUNDED,
    REFUNDED,
    SETTLED,
    TOKEN,
    Deployment,
    Key,
    as_bytes,
    as_tuple,
    digest,
    hexed,
    owner_key,
    payouts_for,
)
from nebula.protocol import typed_data
from nebula.protocol.typed_data import Funding

WALLETS = [Key(f"wallet {i}") for i in range(3)]
PRICES = st.sampled_from([1, 7, TOKEN])
DAY = 86_400


def refused(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except boa.BoaError:
        return True
    return False


class StudyModel:
    """What a study should look like, kept beside the contract."""

    def __init__(self, funding: Funding) -> None:
        self.funding = funding
        self.state, self.escrow = FUNDED, funding.escrow_wei
        self.payouts = payouts_for(0, 0, "nobody")
        self.claimed: set[int] = set()


class Money(RuleBasedStateMachine):
    """Buyers fund, sessions settle, owners claim, time passes, desks mint and burn; a model says what must hold."""

    ledger: Deployment

    def __init__(self) -> None:
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.studies: dict[str, StudyModel] = {}
        self.paid: dict[str, int] = {}

    @initialize()
    def begin(self) -> None:
        self.minted = int(self.ledger.token.totalSupply())
        self.burned = 0

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    def any_study(self, data: st.DataObject) -> tuple[str, StudyModel]:
        return data.draw(st.sampled_from(sorted(self.studies.items(), key=lambda item: item[0])))

    @rule(
        price=PRICES,
        fee=st.integers(0, 10),
        records=st.integers(1, 6) | st.integers(127, 140),
        days=st.integers(1, 4),
        terms=st.integers(0, 4),
    )
    def fund(self, price: int, fee: int, records: int, days: int, terms: int) -> None:
        funding = self.ledger.funding(
            price_wei=price,
            fee_wei=fee,
            max_records=records,
            deadline=self.ledger.now + days * DAY,
            terms_digest=hexed(f"terms {terms}"),
        )
        was_refused = refused(lambda: self.ledger.fund(funding))
        assert was_refused == (funding.study in self.studies)
        self.studies.setdefault(funding.study, StudyModel(funding))

    @precondition(lambda self: self.studies)
    @rule(data=st.data(), greed=st.integers(-1, 1))
    def settle(self, data: st.DataObject, greed: int) -> None:
        study, model = self.any_study(data)
        people = data.draw(st.integers(1, model.funding.max_records)) + greed
        if people < 1:
            return
        payouts = payouts_for(people, model.funding.price_wei, study)
        session = Key(f"session {study} {self.ledger.now} {people}")
        vote = self.ledger.vote(study=study, session=session.address)
        if not self.ledger.sessions.is_registered(session.address):
            self.ledger.register_session(vote, self.ledger.votes(vote, self.ledger.keepers[:2]))
        receipt = self.ledger.receipt(study, payouts, session=session.address)
        signature = self.ledger.sign_receipt(receipt, session)
        may = (
            model.state == FUNDED and self.ledger.now <= model.funding.deadline and people <= model.funding.max_records
        )

        assert refused(lambda: self.ledger.settle(model.funding, receipt, signature)) != may
        if may:
            model.state, model.payouts = SETTLED, payouts
            model.escrow = people * model.funding.price_wei

    @precondition(lambda self: self.studies)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        _, model = self.any_study(data)
        may = model.state == FUNDED and self.ledger.now > model.funding.deadline
        assert refused(lambda: self.ledger.studies.refund(as_tuple(model.funding))) != may
        if may:
            model.state, model.escrow = REFUNDED, 0

    @precondition(lambda self: any(model.payouts for model in self.studies.values()))
    @rule(data=st.data(), wallet=st.sampled_from(WALLETS))
    def claim(self, data: st.DataObject, wallet: Key) -> None:
        study, model = self.settled_study(data)
        index = data.draw(st.integers(0, len(model.payouts) - 1))
        was_refused = refused(lambda: self.ledger.claim(study, model.payouts, index, wallet.address))
        assert was_refused == (index in model.claimed)
        self.pay(model, {index: wallet.address})

    @precondition(lambda self: any(model.payouts for model in self.studies.values()))
    @rule(data=st.data())
    def claim_subtree(self, data: st.DataObject) -> None:
        study, model = self.settled_study(data)
        subtree = data.draw(st.integers(0, (len(model.payouts) - 1) // 128))
        within = range(subtree * 128, min((subtree + 1) * 128, len(model.payouts)))
        was_refused = refused(lambda: self.ledger.claim_subtree(study, model.payouts, subtree))
        assert was_refused == model.claimed.issuperset(within)
        self.pay(model, {index: owner_key(study, index).address for index in within})

    def settled_study(self, data: st.DataObject) -> tuple[str, StudyModel]:
        settled = sorted(study for study, model in self.studies.items() if model.payouts)
        study = data.draw(st.sampled_from(settled))
        return study, self.studies[study]

    def pay(self, model: StudyModel, receivers: dict[int, str]) -> None:
        for index, receiver in receivers.items():
            if index not in model.claimed:
                model.claimed.add(index)
                model.escrow -= model.funding.price_wei
                self.paid[receiver] = self.paid.get(receiver, 0) + model.funding.price_wei

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        boa.env.time_travel(seconds=days * DAY)

    @rule(amount=st.integers(1, TOKEN), payment=st.integers(0, 5))
    def mint(self, amount: int, payment: int) -> None:
        name = digest(f"state payment {payment}")
        used = self.ledger.token.minted_against(name)
        assert used == refused(
            lambda: self.ledger.token.mint(self.ledger.desk.address, amount, name, sender=self.ledger.desk.address)
        )
        self.minted += 0 if used else amount

    @rule(amount=st.integers(1, TOKEN))
    def burn(self, amount: int) -> None:
        desk = self.ledger.desk.address
        too_many = amount > self.ledger.token.balanceOf(desk)
        assert too_many == refused(lambda: self.ledger.token.burn(amount, digest("redeemed"), sender=desk))
        self.burned += 0 if too_many else amount

    @invariant()
    def the_contract_holds_exactly_the_escrows(self) -> None:
        held = [int(self.ledger.studies.escrow_of(as_bytes(study))) for study in self.studies]
        assert held == [model.escrow for model in self.studies.values()]
        assert self.ledger.token.balanceOf(self.ledger.studies) == sum(held)

    @invariant()
    def the_supply_is_what_was_minted_less_what_was_burned(self) -> None:
        assert self.ledger.token.totalSupply() == self.minted - self.burned

    @invariant()
    def nobody_was_paid_more_or_less_than_their_payouts(self) -> None:
        for wallet in WALLETS:
            assert self.ledger.token.balanceOf(wallet.address) == self.paid.get(wallet.address, 0)


class Versions(RuleBasedStateMachine):
    """Two records, every message ever signed kept and replayed: versions only grow, and nothing works twice."""

    ledger: Deployment

    def __init__(self) -> None:
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.model = {Key("first record"): (0, b""), Key("second record"): (0, b"")}
        self.used: list[tuple[str, tuple[Any, ...]]] = []

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)

    @rule(which=st.integers(0, 1), ahead=st.integers(-1, 2), content=st.binary(min_size=1, max_size=4))
    def put(self, which: int, ahead: int, content: bytes) -> None:
        key, (version, _), records = self.pick(which)
        commitment, next_version = digest(content.hex())[:26], max(0, version + ahead)
        message = typed_data.record_put_digest(
            self.ledger.domain(records), key.address, commitment, version=next_version
        )
        call = (key.address, commitment, next_version, key.sign(message))
        assert refused(lambda: records.put(*call)) == (next_version != version + 1)
        if next_version == version + 1:
            self.model[key] = (next_version, commitment)
            self.used.append(("put", call))

    @rule(which=st.integers(0, 1), ahead=st.integers(0, 9))
    def withdraw(self, which: int, ahead: int) -> None:
        key, (version, _), records = self.pick(which)
        message = typed_data.record_withdrawal_digest(self.ledger.domain(records), key.address, version=version + ahead)
        call = (key.address, version + ahead, key.sign(message))
        assert refused(lambda: records.withdraw(*call)) == (ahead == 0)
        if ahead:
            self.model[key] = (version + ahead, b"")
            self.used.append(("withdraw", call))

    @precondition(lambda self: self.used)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        function, call = data.draw(st.sampled_from(self.used))
        assert refused(lambda: getattr(self.ledger.records, function)(*call))

    def pick(self, which: int) -> tuple[Key, tuple[int, bytes], Any]:
        key = list(self.model)[which]
        return key, self.model[key], self.ledger.records

    @invariant()
    def each_slot_is_what_its_owner_last_said(self) -> None:
        for key, (version, commitment) in self.model.items():
            assert self.ledger.records.slot(key.address) == int.from_bytes(commitment, "big") << 48 | version
            assert self.ledger.records.is_live(key.address) == bool(commitment)


@pytest.mark.parametrize(
    ("machine", "examples", "steps"), [(Money, 12, 20), (Versions, 25, 25)], ids=["money", "versions"]
)
def test_no_order_of_steps_breaks_the_ledger(
    ledger: Deployment, machine: type[RuleBasedStateMachine], examples: int, steps: int
) -> None:
    bound = type(f"{machine.__name__}OnLedger", (machine,), {"ledger": ledger})
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
