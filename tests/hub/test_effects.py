"""The hub's own effects on a real ledger: each once, whoever else was faster."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from audit.miniature import fund, make_evidence, make_receipt, make_study, sign
from ledger.ledgers import FAUCET, Market
from nebula.attestation.simulator.cpu import SimulatedCpu
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.database import open_database
from nebula.hub import tables
from nebula.hub.effects import Effects
from nebula.ledger.client.studies import StudyState
from nebula.ledger.relay import Relay
from nebula.protocol.errors import NotPermittedError, UnavailableError
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.keys import SigningKey
from nebula.protocol.merkle import payout_tree, subtree_proof
from nebula.protocol.receipt import Payout, SignedReceipt
from nebula.protocol.result import ResultBundle
from nebula.protocol.session_vote import cast_vote
from nebula.protocol.study import StudyDocument
from simulators.studies import MEASUREMENT

PEOPLE = 5


@dataclass
class Escrow:
    """A funded study, a voted session, a receipt; nothing of it entered yet."""

    market: Market
    effects: Effects
    pki: DevelopmentPki
    study: StudyDocument
    signed: SignedReceipt
    payouts: tuple[Payout, ...]

    @property
    def id(self) -> str:
        return study_id(self.study)

    def state(self) -> StudyState:
        return self.effects.study_state(self.id)


@pytest.fixture(scope="module")
def pki(market: Market, tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPki:
    made = DevelopmentPki.create(tmp_path_factory.mktemp("sgx") / "pki", at=datetime.now(UTC))
    approved = market.network.sessions.approve_measurement(MEASUREMENT, made.trust_root.fingerprint, simulated=True)
    market.ledger.transact(market.governor.secret, approved)
    return made


@pytest.fixture
def effects(market: Market, tmp_path: Path) -> Iterator[Effects]:
    engine = open_database(f"sqlite:///{tmp_path}/hub.sqlite", tables.metadata, party="hub")
    yield Effects(market.network, Relay(engine, tables.outbox, market.ledger.client, market.operator.secret))
    engine.dispose()


@pytest.fixture
def escrow(market: Market, effects: Effects, pki: DevelopmentPki, request: pytest.FixtureRequest) -> Escrow:
    study = msgspec.structs.replace(
        make_study(market, pki.trust_root), measurement=MEASUREMENT, title=request.node.name[:100]
    )
    fund(market, study)
    session = SigningKey.generate()
    evidence = make_evidence(market, study, session, SimulatedCpu(pki, lambda: MEASUREMENT))
    domain = market.network.sessions.domain(study.chain_id)
    votes = tuple(cast_vote(evidence, domain, keeper.secret) for keeper in market.keepers[:2])
    effects.register_session(evidence, votes)
    payouts = tuple(
        Payout(index=place, address=SigningKey.generate().address, amount_wei=study.price_per_record_wei)
        for place in range(PEOPLE)
    )
    bundle = ResultBundle(
        study=study_id(study), run=evidence.run, analysis=study.analysis, result_class=study.result_class, files={}
    )
    signed = sign(market, make_receipt(market, evidence, payouts, bundle), session)
    return Escrow(market, effects, pki, study, signed, payouts)


def test_a_receipt_is_settled_once(escrow: Escrow) -> None:
    first = escrow.effects.settle(funding_of(escrow.study), escrow.signed)
    again = escrow.effects.settle(funding_of(escrow.study), escrow.signed)

    assert first is not None
    assert first == again  # what this hub began itself it finds again
    assert escrow.state() is StudyState.SETTLED


def test_a_receipt_that_somebody_else_brought_is_settled(escrow: Escrow) -> None:
    call = escrow.market.network.studies.settle(funding_of(escrow.study), escrow.signed)
    escrow.market.ledger.transact(FAUCET, call)

    assert escrow.effects.settle(funding_of(escrow.study), escrow.signed) is None


def test_a_receipt_that_somebody_else_brought_at_the_same_moment_is_settled_too(
    escrow: Escrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = escrow.market.network.studies.settle(funding_of(escrow.study), escrow.signed)
    escrow.market.ledger.transact(FAUCET, call)
    looks = iter([StudyState.FUNDED])  # the hub looked before the other's transaction stood
    look = escrow.effects.study_state
    monkeypatch.setattr(Effects, "study_state", lambda _self, study: next(looks, None) or look(study))

    assert escrow.effects.settle(funding_of(escrow.study), escrow.signed) is None


def test_a_forged_receipt_is_refused_in_the_ledgers_own_words(escrow: Escrow) -> None:
    forged = msgspec.structs.replace(escrow.signed, signature=b"\x01" * 64 + b"\x1b")

    with pytest.raises(NotPermittedError) as refusal:
        escrow.effects.settle(funding_of(escrow.study), forged)
    assert refusal.value.message == "the ledger refuses: the session did not sign this receipt"
    assert escrow.state() is StudyState.FUNDED


def test_payouts_are_paid_once_whoever_pays_them(escrow: Escrow) -> None:
    escrow.effects.settle(funding_of(escrow.study), escrow.signed)
    proof = subtree_proof(payout_tree(escrow.payouts), 0)
    call = escrow.market.network.studies.claim_subtree(escrow.id, escrow.payouts, proof)
    escrow.market.ledger.transact(FAUCET, call)

    assert escrow.effects.claim_subtree(escrow.id, escrow.payouts, proof) is None
    balances = escrow.market.network.token.balances_wei([payout.address for payout in escrow.payouts])
    assert balances == [int(payout.amount_wei) for payout in escrow.payouts]


def test_before_the_ledgers_deadline_a_refund_is_to_be_asked_for_again(escrow: Escrow) -> None:
    for _ in range(2):
        with pytest.raises(UnavailableError) as refusal:
            escrow.effects.refund(funding_of(escrow.study))
        assert "the study's deadline has not passed" in refusal.value.message
    assert escrow.state() is StudyState.FUNDED


def test_a_settled_study_has_nothing_to_give_back(escrow: Escrow) -> None:
    escrow.effects.settle(funding_of(escrow.study), escrow.signed)

    assert escrow.effects.refund(funding_of(escrow.study)) is None
    assert escrow.state() is StudyState.SETTLED
