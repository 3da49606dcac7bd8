"""A consent ends for good, whatever another command does to the record while the ledger is waited for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from ledger.ledgers import Market, embedded, make_market
from nebula.database import open_database, reading, writing
from nebula.hub import tables as of_the_hub
from nebula.hub.carry import RecordCarrier
from nebula.ledger.node import DEFAULT_CHAIN_ID
from nebula.ledger.relay import Relay
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.messages import RelayAnswer, RelayRequest
from nebula.vault import state, tables
from nebula.vault.consent import first_policy, withdraw
from nebula.vault.enrol import Network, signed_put
from nebula.vault.joining import join
from nebula.vault.state import Record, Stage
from vault.test_held import SETTINGS


@dataclass
class SlowHub:
    """Carries to a real ledger, after whatever happens meanwhile."""

    carrier: RecordCarrier
    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def ask(self, _kind: Any, request: RelayRequest, _answer: Any) -> RelayAnswer:
        while self.meanwhile:
            self.meanwhile.pop()()
        return self.carrier.carry(request)


@dataclass
class Leaving:
    """An owner's vault with one record on the ledger and one on its way there."""

    engine: Engine
    owner: OwnerKeys
    network: Network
    hub: SlowHub
    there: Record
    coming: Record

    def go_on(self, until: Stage) -> None:
        """Take the record that is coming on as far as another command does."""
        steps = [Stage.STORED, Stage.SPLIT, Stage.ACCEPTED, Stage.REGISTERED]
        for before, after in pairwise(steps[: steps.index(until) + 1]):
            if after is Stage.REGISTERED:
                self.register(self.coming)
            with writing(self.engine) as connection:
                state.move(connection, [self.coming.record], after, after=before)

    def register(self, record: Record) -> None:
        put = signed_put(record, self.owner, self.network.records_domain)
        self.hub.carrier.carry(RelayRequest(puts=(put,)))

    def leave(self) -> list[int]:
        """End both consents; return how many were done at a time."""
        done: list[int] = []
        both = [self.there.record, self.coming.record]
        withdraw(self.engine, self.owner, self.network, both, done=done.append)
        return done

    def stands(self) -> tuple[list[Stage], list[bool]]:
        """What the vault and what the ledger have of the two: stages, and whether there is a consent."""
        both = [self.there.record, self.coming.record]
        with reading(self.engine) as connection:
            stages = [state.get_record(connection, record).stage for record in both]
        return stages, [slot.is_live for slot in self.network.records.slots(both)]


ALL_OVER = ([Stage.WITHDRAWN] * 2, [False] * 2)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with embedded(tmp_path_factory.mktemp("ledger")) as ledger:
        yield make_market(ledger)


@pytest.fixture
def leaving(market: Market, tmp_path: Path) -> Iterator[Leaving]:
    engine = open_database(f"sqlite:///{tmp_path / 'vault.sqlite'}", tables.metadata, party="vault")
    of_hub = open_database(f"sqlite:///{tmp_path / 'hub.sqlite'}", of_the_hub.metadata, party="hub")
    client = market.ledger.client
    hub = SlowHub(RecordCarrier(market.network, Relay(of_hub, of_the_hub.outbox, client, market.operator.secret)))
    settings = msgspec.structs.replace(
        SETTINGS,
        ledger_url=client.url,
        chain_id=DEFAULT_CHAIN_ID,
        records_contract=market.network.addresses.records,
    )
    network = replace(join(settings), hub=hub)  # type: ignore[arg-type]
    owner = OwnerKeys.from_mnemonic(generate_mnemonic())
    there, coming = (stored_record(owner, index) for index in range(2))
    there = replace(there, stage=Stage.REGISTERED)
    with writing(engine) as connection:
        state.add_records(connection, [there, coming])
    found = Leaving(engine, owner, network, hub, there, coming)
    found.register(there)
    yield found
    engine.dispose()
    of_hub.dispose()


def stored_record(owner: OwnerKeys, index: int) -> Record:
    address = owner.control_key(index).address
    policy = first_policy(
        address, price_floor_wei=1, trust_roots=("0x" + "07" * 32,), at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return Record(
        record=address,
        donor=None,
        key_index=index,
        label=f"record {index}",
        stage=Stage.STORED,
        version=1,
        manifest_location="file:///nowhere#manifest",
        manifest_commitment=to_hex(bytes([index + 1]) * 32),
        mailbox=bytes(32),
        policy=policy,
    )


@pytest.mark.parametrize("reached", [Stage.STORED, Stage.SPLIT, Stage.ACCEPTED, Stage.REGISTERED])
def test_a_consent_that_another_command_gives_while_it_is_withdrawn_ends_too(leaving: Leaving, reached: Stage) -> None:
    leaving.hub.meanwhile.append(lambda: leaving.go_on(reached))

    done = leaving.leave()

    assert leaving.stands() == ALL_OVER
    assert sum(done) == 2
    if reached in (Stage.ACCEPTED, Stage.REGISTERED):
        leaving.register(leaving.coming)  # what the other command had signed comes too late
        assert leaving.stands() == ALL_OVER


def test_what_another_command_has_withdrawn_meanwhile_is_no_error(leaving: Leaving) -> None:
    leaving.hub.meanwhile.append(leaving.leave)

    assert sum(leaving.leave()) == 2
    assert leaving.stands() == ALL_OVER
