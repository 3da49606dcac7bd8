"""The index: the same views whatever the database, and true to the ledger through reorganisations."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, MetaData

from ledger.ledgers import FAUCET, FOREVER, Ledger, Market
from ledger.test_client import COMMITMENT, fund, settle, signed_put
from nebula.database import open_database
from nebula.ledger.client import studies as study_events
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.studies import StudyState
from nebula.ledger.index import LedgerIndex, index_tables
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.protocol.merkle import payout_tree, subtree_proof
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.receipt import Payout
from nebula.protocol.typed_data import record_withdrawal_digest

TABLES = MetaData()
INDEX = index_tables(TABLES)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url, TABLES, party="indextest")
    yield opened
    opened.dispose()


@pytest.fixture
def index(engine: Engine, market: Market) -> LedgerIndex:
    return LedgerIndex(engine, INDEX, market.ledger.client, market.network.addresses)


def withdraw(market: Market, key: SigningKey, version: int) -> None:
    records = market.network.records
    message = record_withdrawal_digest(records.domain(market.network.addresses.chain_id), key.address, version=version)
    call = records.withdraw(key.address, version=version, signature=key.sign_digest(message))
    market.ledger.transact(FAUCET, call)


def test_records_are_what_the_ledger_says(index: LedgerIndex, market: Market) -> None:
    keys = [SigningKey.generate() for _ in range(6)]
    live_before = index.sync() and index.count_live()
    market.ledger.transact(FAUCET, market.network.records.put_many([signed_put(market, key) for key in keys]))
    withdraw(market, keys[0], version=2)
    update = signed_put(market, keys[1], version=2, commitment=b"\x07" * 26)
    market.ledger.transact(FAUCET, market.network.records.put(update))

    head = index.sync()

    assert head == index.head() or head.hash == index.head().hash  # type: ignore[union-attr]
    assert head.hash == market.ledger.client.head().hash
    views = index.records([key.address for key in keys])
    slots = market.network.records.slots([key.address for key in keys])
    assert [(views[s.record].commitment, views[s.record].version, views[s.record].live) for s in slots] == [
        (slot.commitment, slot.version, slot.is_live) for slot in slots
    ]
    assert index.count_live() == live_before + 5
    assert index.record("0x" + "00" * 20) is None
    history = index.events(subject=keys[0].address)
    assert [type(item.event).__name__ for item in history] == ["Registered", "Withdrawn"]


def test_pages_of_live_records_cover_each_once(index: LedgerIndex, market: Market) -> None:
    keys = [SigningKey.generate() for _ in range(7)]
    market.ledger.transact(FAUCET, market.network.records.put_many([signed_put(market, key) for key in keys]))
    index.sync()

    seen: list[str] = []
    while page := index.live_records(after=seen[-1] if seen else "", limit=3):
        seen += [view.record for view in page]

    assert len(seen) == len(set(seen)) == index.count_live()
    assert {key.address for key in keys} <= set(seen)
    with pytest.raises(RejectedInputError):
        index.live_records(limit=0)


def test_a_study_is_followed_from_funding_to_its_last_claim(index: LedgerIndex, market: Market) -> None:
    salt = abs(hash(index)) % 2**60
    funding = fund(market, salt=salt, max_records=140)
    index.sync()
    opened = index.study(funding.study)
    assert opened is not None
    assert (opened.state, opened.price_wei, opened.run) == (StudyState.FUNDED, TOKEN_WEI, None)

    payouts = [
        Payout(index=place, address=SigningKey.generate().address, amount_wei=str(TOKEN_WEI)) for place in range(130)
    ]
    signed = settle(market, funding, payouts, run=salt)
    claim = market.network.studies.claim_subtree(funding.study, payouts[128:], subtree_proof(payout_tree(payouts), 1))
    market.ledger.transact(FAUCET, claim)
    index.sync()

    settled = index.study(funding.study)
    assert settled is not None
    assert settled.state is StudyState.SETTLED
    assert settled.payout_root == signed.receipt.payout_root
    assert settled.owners_wei == 130 * TOKEN_WEI
    assert settled.refund_wei == 10 * TOKEN_WEI
    assert [claim.payout_index for claim in index.claims(funding.study)] == [128, 129]
    assert index.count_claims(funding.study) == 2
    assert index.claims(funding.study, after=128)[0].amount_wei == TOKEN_WEI
    (session,) = index.sessions_of(funding.study)
    assert session == index.session(signed.receipt.session)
    assert any(view.approval is Approval.SIMULATED for view in index.measurements())
    assert funding.study in [view.study for view in index.studies(state=StudyState.SETTLED)]
    (event,) = index.events(subject=funding.study, kind="studies.Settled")
    assert isinstance(event.event, study_events.Settled)
    assert event.event.owners_wei == settled.owners_wei


def test_an_organizations_standing_is_followed(index: LedgerIndex, market: Market) -> None:
    organizations, somebody = market.network.organizations, SigningKey.generate().address
    for call in (
        organizations.register(somebody, Role.LAB, standing_until=FOREVER, legal_name="Lab of Ω"),
        organizations.seat(somebody, "IS"),
        organizations.suspend(somebody),
        organizations.renew(somebody, Role.LAB | Role.BUYER, standing_until=FOREVER),
    ):
        market.ledger.transact(market.governor.secret, call)

    index.sync()

    found = index.organization(somebody)
    assert found is not None
    assert (found.name, found.suspended, found.country) == ("Lab of Ω", True, "IS")
    assert found.roles == int(Role.LAB | Role.BUYER)


def test_an_index_begun_late_says_the_same_as_one_that_followed(
    index: LedgerIndex, engine: Engine, market: Market
) -> None:
    key = SigningKey.generate()
    index.sync()
    market.ledger.transact(FAUCET, market.network.records.put(signed_put(market, key)))
    index.sync()
    index._follower._page_blocks = 1
    withdraw(market, key, version=2)
    market.ledger.transact(FAUCET, market.network.records.put(signed_put(market, key, version=3)))
    index.sync()

    tables = MetaData()
    late_tables = index_tables(tables, prefix="late_")
    tables.create_all(engine)
    late = LedgerIndex(engine, late_tables, market.ledger.client, market.network.addresses)
    late.sync()

    assert late.events(limit=10_000) == index.events(limit=10_000)
    assert late.live_records() == index.live_records()
    assert late.studies() == index.studies()
    assert late.organizations() == index.organizations()


# The embedded ledger never reorganises: anvil stands for those that do.
@pytest.mark.parametrize("ledger", ["anvil"], indirect=True, scope="session")
def test_a_reorganisation_takes_back_what_it_took_back(index: LedgerIndex, ledger: Ledger, market: Market) -> None:
    stays, goes, comes = (SigningKey.generate() for _ in range(3))
    ledger.transact(FAUCET, market.network.records.put(signed_put(market, stays)))
    snapshot = ledger.client.request("evm_snapshot")
    ledger.transact(FAUCET, market.network.records.put(signed_put(market, goes)))
    withdraw(market, stays, version=2)
    ledger.tick(0)
    index.sync()
    assert not index.record(stays.address).live  # type: ignore[union-attr]

    assert ledger.client.request("evm_revert", snapshot)
    ledger.client.request("evm_increaseTime", 77)
    ledger.transact(FAUCET, market.network.records.put(signed_put(market, comes, commitment=COMMITMENT)))
    head = index.sync()

    assert head.hash == ledger.client.head().hash
    assert index.record(stays.address).live  # type: ignore[union-attr]
    assert index.record(goes.address) is None
    assert index.record(comes.address).live  # type: ignore[union-attr]
    assert all(event.block_number <= head.number for event in index.events(subject=stays.address))


def test_only_confirmed_blocks_are_indexed(engine: Engine, market: Market) -> None:
    index = LedgerIndex(engine, INDEX, market.ledger.client, market.network.addresses, confirmations=3)
    key = SigningKey.generate()
    market.ledger.transact(FAUCET, market.network.records.put(signed_put(market, key)))
    assert index.sync().number == market.ledger.client.head().number - 2
    assert index.record(key.address) is None

    for _ in range(2):
        market.ledger.transact(FAUCET, None, to="0x" + "ab" * 20)
    index.sync()

    assert index.record(key.address) is not None
