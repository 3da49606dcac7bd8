"""What an owner's own wallet sends to the ledger, and what the owner is told of a refusal."""

from pathlib import Path

import msgspec
import pytest

from ledger.ledgers import embedded, make_market
from nebula.database import open_database
from nebula.ledger.node import DEFAULT_CHAIN_ID
from nebula.protocol.errors import NotPermittedError
from nebula.vault import tables
from nebula.vault.direct import Direct
from nebula.vault.joining import join
from vault.test_held import SETTINGS


def test_what_the_ledger_refuses_is_said_once_in_its_own_words(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'vault.sqlite'}", tables.metadata, party="vault")
    with embedded(tmp_path) as ledger:
        market = make_market(ledger)
        settings = msgspec.structs.replace(SETTINGS, ledger_url=ledger.client.url, chain_id=DEFAULT_CHAIN_ID)
        direct = Direct(engine, join(settings), ledger.fresh_key())

        with pytest.raises(NotPermittedError) as refusal:
            direct.send("more-than-there-is", market.network.token.transfer(market.buyer.address, 1))

    assert refusal.value.code == "ledger.refused"
    assert refusal.value.message.count("refuses") == 1
