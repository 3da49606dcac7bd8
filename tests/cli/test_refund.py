"""``nebula study refund`` on a ledger whose time can be moved: an escrow comes back once its deadline has passed."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import uvicorn

from audit.miniature import make_study
from buyer.folder import approve_code, make_folder
from cli.conftest import Run
from ledger.ledgers import Ledger, Market, free_port, make_market, write_genesis
from nebula.attestation.roots import TrustRoot
from nebula.buyer import Buyer
from nebula.buyer.settings import BuyerSettings
from nebula.buyer.shelf import Shelf
from nebula.ledger.client import LedgerClient
from nebula.ledger.node import LedgerSettings, parse_genesis
from nebula.ledger.node.server import LedgerApp
from nebula.protocol.funding import funding_of
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import to_canonical


@dataclass
class Clock:
    """The ledger's, which a test moves."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def market(tmp_path: Path, clock: Clock) -> Iterator[Market]:
    genesis = parse_genesis(write_genesis(tmp_path / "genesis.json").read_bytes())
    port = free_port()
    app = LedgerApp(LedgerSettings(tmp_path / "ledger.sqlite", genesis=genesis, clock=clock))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield make_market(Ledger("embedded", LedgerClient(f"http://127.0.0.1:{port}"), lambda _: None))
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def buyer(market: Market, tmp_path: Path) -> Path:
    """The verified buyer's folder."""
    folder = tmp_path / "buyer"
    folder.mkdir()
    (folder / "settings.json").write_bytes(to_canonical(make_folder(market, market.buyer.secret, folder)))
    return folder


@pytest.fixture
def study(market: Market, buyer: Path) -> StudyDocument:
    deadline = market.ledger.client.head().timestamp_seconds + 3600
    document = msgspec.structs.replace(make_study(market, TrustRoot(b"anybody")), deadline=deadline)
    approve_code(market, document)
    Shelf(buyer / "studies").keep(document)
    return document


def test_an_escrow_comes_back_after_the_deadline_whole_and_once(
    run: Run, market: Market, buyer: Path, study: StudyDocument, clock: Clock
) -> None:
    settings = msgspec.json.decode((buyer / "settings.json").read_bytes(), type=BuyerSettings)
    refund = ("study", "refund", "0x", "--buyer", buyer)
    before = market.network.token.balance_wei(market.buyer.address)
    assert "never funded" in run(*refund).err
    Buyer(settings, buyer).fund(study)
    assert market.network.token.balance_wei(market.buyer.address) == before - funding_of(study).escrow_wei

    early = run(*refund)
    clock.ahead = timedelta(hours=2)
    market.ledger.fresh_key()  # a block, whoever makes it, brings the time along
    late, again = run(*refund), run(*refund)

    assert (early.status, late.status, again.status) == (3, 0, 0)
    assert "comes back after the deadline" in early.err
    assert "are back with you" in late.out
    assert "were taken back before" in again.out
    assert market.network.token.balance_wei(market.buyer.address) == before
