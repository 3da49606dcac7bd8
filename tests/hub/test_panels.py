"""Panels by the hub on a real ledger: by its operator alone, once, in lines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from ledger.ledgers import Market
from nebula.database import open_database
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.hub import tables
from nebula.hub.effects import Effects
from nebula.hub.operator import publication_of
from nebula.hub.panels import publish_panel
from nebula.ledger.client.organizations import Role
from nebula.ledger.index import LedgerIndex, PanelView, index_tables
from nebula.ledger.relay import Relay
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import Accepted, PanelPublication


def panel(number: int, *, name: str = "common") -> PanelPublication:
    return PanelPublication(panel="0x" + f"{number:02x}" * 32, name=name, version=str(number))


@pytest.fixture
def effects(market: Market, tmp_path: Path) -> Iterator[Effects]:
    engine = open_database(f"sqlite:///{tmp_path}/hub.sqlite", tables.metadata, party="hub")
    yield Effects(market.network, Relay(engine, tables.outbox, market.ledger.client, market.operator.secret))
    engine.dispose()


def test_an_operators_panels_stand_on_the_ledger_in_lines_and_once(
    market: Market, effects: Effects, tmp_path: Path
) -> None:
    operator = market.operator.address

    for one in (panel(1), panel(2), panel(2), panel(1), panel(3, name="exome")):
        assert publish_panel(effects, operator, one, operator) == Accepted()

    assert [market.network.panels.is_published(panel(number).panel) for number in (1, 2, 3, 4)] == [True] * 3 + [False]
    assert market.network.panels.newest(operator, "common") == panel(2).panel
    metadata = MetaData()
    indexed = index_tables(metadata)
    engine = open_database(f"sqlite:///{tmp_path}/index.sqlite", metadata, party="index")
    index = LedgerIndex(engine, indexed, market.ledger.client, market.network.addresses)
    index.sync()
    found = {one.panel: one for one in index.panels()}
    assert found[panel(2).panel] == PanelView(
        panel(2).panel, operator, panel(1).panel, "common", "2", found[panel(2).panel].block_number
    )
    assert (found[panel(1).panel].follows, found[panel(3).panel].follows) == (None, None)
    (event,) = index.events(subject=panel(2).panel)
    assert event.block_number == found[panel(2).panel].block_number


def test_nobody_but_the_operator_publishes_by_the_hub(market: Market, effects: Effects) -> None:
    with pytest.raises(NotPermittedError) as refused:
        publish_panel(effects, market.operator.address, panel(5), SigningKey.generate().address)
    assert refused.value.code == "panel.operator"
    assert not market.network.panels.is_published(panel(5).panel)


def test_an_operator_without_standing_publishes_nothing(market: Market, effects: Effects) -> None:
    organizations, operator = market.network.organizations, market.operator.address
    market.ledger.transact(market.governor.secret, organizations.suspend(operator))
    try:
        with pytest.raises(NotPermittedError, match="not an operator in good standing"):
            publish_panel(effects, operator, panel(6), operator)
    finally:
        market.ledger.transact(market.governor.secret, organizations.reinstate(operator))
    assert organizations.in_good_standing(operator, Role.OPERATOR)
    assert publish_panel(effects, operator, panel(6), operator) == Accepted()


@pytest.mark.parametrize(
    ("name", "version"), [("n" * 65, "1"), ("Bevölkerung", "1"), (" common", "1"), ("c", "v 1"), ("c", "")]
)
def test_a_panel_that_the_ledger_has_no_room_for_is_refused_before_it_is_sent(name: str, version: str) -> None:
    made = Panel(name, version, "GRCh38", [variant_key("1", 10, "A", "C")], {})
    with pytest.raises(RejectedInputError) as refused:
        publication_of(made)
    assert refused.value.code == "panel.name"
    assert "64" in str(refused.value.hint)
