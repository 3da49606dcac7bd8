"""What a keeper reads from a real ledger, through its own node."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ledger.ledgers import FOREVER, Ledger, Market, embedded, make_market
from nebula.keeper.ledger_view import Slot
from nebula.keeper.node_ledger import COUNTRY_UNKNOWN, NodeLedger
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.panels import NO_PANEL
from nebula.ledger.client.records import Put
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import PanelPublication
from nebula.protocol.signing import sign_digest
from nebula.protocol.typed_data import (
    Domain,
    Funding,
    SessionVote,
    record_put_digest,
    record_withdrawal_digest,
    session_vote_digest,
)

CODE, ROOT = "0x" + "61" * 32, "0x" + "62" * 32
COMMITMENT = bytes(range(1, 27))


@dataclass
class Node:
    """A market on the embedded ledger, and a keeper's view of it."""

    ledger: Ledger
    market: Market
    view: NodeLedger

    @property
    def domain(self) -> Domain:
        return self.market.network.records.domain(self.ledger.client.chain_id())

    def put(self, key: SigningKey, version: int) -> None:
        digest = record_put_digest(self.domain, key.address, COMMITMENT, version=version)
        item = Put(key.address, COMMITMENT, version, sign_digest(key.secret, digest))
        self.ledger.transact(self.market.buyer.secret, self.market.network.records.put(item))

    def withdraw(self, key: SigningKey, version: int) -> None:
        signature = sign_digest(key.secret, record_withdrawal_digest(self.domain, key.address, version=version))
        call = self.market.network.records.withdraw(key.address, version=version, signature=signature)
        self.ledger.transact(self.market.buyer.secret, call)

    def govern(self, call: object) -> None:
        self.ledger.transact(self.market.governor.secret, call)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with embedded(tmp_path_factory.mktemp("ledger")) as ledger:
        market = make_market(ledger)
        yield Node(ledger, market, NodeLedger(ledger.client, market.network.addresses))


def test_a_slot_is_read_as_of_its_block_and_a_withdrawal_in_its_own(node: Node) -> None:
    key, stranger = SigningKey.generate(), SigningKey.generate()
    node.put(key, 1)
    before = node.view.newest_block()
    node.withdraw(key, 7)
    now = node.view.newest_block()
    assert node.view.slots([key.address, stranger.address], before) == {
        key.address: Slot(COMMITMENT, 1),
        stranger.address: Slot(None, 0),
    }
    slot = node.view.slots([key.address], now)[key.address]
    assert (slot, slot.is_withdrawn) == (Slot(None, 7), True)
    assert node.view.changed_records(now.number, now.number) == {key.address}
    assert node.view.changed_records(before.number, before.number) == {key.address}


def test_blocks_are_found_by_number(node: Node) -> None:
    newest = node.view.newest_block()
    assert node.view.block(newest.number) == newest
    assert node.view.block(newest.number + 5) is None
    assert node.view.block(-1) is None


def test_a_study_is_open_from_its_funding_on(node: Node) -> None:
    funding = Funding(
        buyer=node.market.buyer.address,
        operator=node.market.operator.address,
        terms_digest="0x" + "33" * 32,
        measurement=CODE,
        price_wei=10,
        fee_wei=5,
        max_records=3,
        deadline=FOREVER,
    )
    before = node.view.newest_block()
    network = node.market.network
    node.ledger.transact(node.market.buyer.secret, network.token.approve(network.studies.address, funding.escrow_wei))
    node.ledger.transact(node.market.buyer.secret, network.studies.fund(funding))
    assert node.view.study_is_open(funding.study, node.view.newest_block())
    assert not node.view.study_is_over(funding.study, node.view.newest_block())
    assert not node.view.study_is_over("0x" + "77" * 32, node.view.newest_block())
    assert not node.view.study_is_open(funding.study, before)


def test_a_panel_stands_from_its_publication_on(node: Node) -> None:
    panel, before = PanelPublication(panel="0x" + "9a" * 32, name="common", version="1"), node.view.newest_block()
    published = node.market.network.panels.publish(panel, follows=NO_PANEL)
    node.ledger.transact(node.market.operator.secret, published)
    assert node.view.panel_is_published(panel.panel, node.view.newest_block())
    assert not node.view.panel_is_published(panel.panel, before)


def test_a_buyer_is_what_the_governor_entered_until_suspended(node: Node) -> None:
    organizations, buyer = node.market.network.organizations, SigningKey.generate().address
    assert node.view.buyer(buyer, node.view.newest_block()) is None
    roles = Role.BUYER | Role.NON_PROFIT
    node.govern(organizations.register(buyer, roles, standing_until=FOREVER, legal_name="A hospital"))
    facts = node.view.buyer(buyer, node.view.newest_block())
    assert facts is not None
    assert (facts.country, facts.non_profit, facts.accredited) == (COUNTRY_UNKNOWN, True, False)
    node.govern(organizations.seat(buyer, "CH"))
    seated = node.view.newest_block()
    facts = node.view.buyer(buyer, seated)
    assert facts is not None
    assert facts.country == "CH"
    node.govern(organizations.suspend(buyer))
    assert node.view.buyer(buyer, node.view.newest_block()) is None
    assert node.view.buyer(buyer, seated) == facts


def test_a_session_is_vouched_for_once_enough_keepers_voted(node: Node) -> None:
    sessions = node.market.network.sessions
    node.govern(sessions.approve_measurement(CODE, ROOT, simulated=True))
    run = "0x" + "34" * 32
    vote = SessionVote(
        session=SigningKey.generate().address,
        study=run,
        run=run,
        measurement=CODE,
        trust_root=ROOT,
        evidence=run,
    )
    assert node.view.approves(CODE, ROOT, simulated=True, at=node.view.newest_block())
    assert not node.view.approves(CODE, ROOT, simulated=False, at=node.view.newest_block())
    assert not node.view.vouches_for(vote, simulated=True, at=node.view.newest_block())
    digest = session_vote_digest(sessions.domain(node.ledger.client.chain_id()), vote)
    votes = [(keeper.address, sign_digest(keeper.secret, digest)) for keeper in node.market.keepers[:2]]
    node.ledger.transact(node.market.buyer.secret, sessions.register_session(vote, votes))
    assert node.view.vouches_for(vote, simulated=True, at=node.view.newest_block())
    assert not node.view.vouches_for(vote, simulated=False, at=node.view.newest_block())
