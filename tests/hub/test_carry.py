"""Owners' writes on their way to a real ledger: sent twice, lost on the way, overtaken, forged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.ledgers import FAUCET, Market
from nebula.database import open_database
from nebula.hub import tables
from nebula.hub.carry import WITHDRAWN, RecordCarrier
from nebula.ledger.relay import Relay
from nebula.protocol.errors import IntegrityError, NotPermittedError
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import RecordPut, RelayRequest
from nebula.protocol.typed_data import Domain, record_put_digest, record_withdrawal_digest

COMMITMENT = b"\x07" * 26


@dataclass
class Carried:
    """A carrier over a real ledger, and what the ledger then has."""

    market: Market
    carrier: RecordCarrier

    def send(self, *puts: RecordPut) -> int:
        """Carry, and return how many transactions that took."""
        return len(self.carrier.carry(RelayRequest(puts=puts)).transactions)

    def put(self, key: SigningKey, version: int, commitment: bytes = COMMITMENT) -> RecordPut:
        digest = record_put_digest(self._domain, key.address, commitment, version=version)
        return self._signed(key, version, to_hex(commitment), digest)

    def withdrawal(self, key: SigningKey, version: int) -> RecordPut:
        return self._signed(
            key, version, WITHDRAWN, record_withdrawal_digest(self._domain, key.address, version=version)
        )

    def slot(self, key: SigningKey) -> tuple[bytes | None, int]:
        found = self.market.network.records.slot(key.address)
        return found.commitment, found.version

    @property
    def _domain(self) -> Domain:
        return self.market.network.records.domain(self.market.network.addresses.chain_id)

    def _signed(self, key: SigningKey, version: int, commitment: str, digest: bytes) -> RecordPut:
        return RecordPut(record=key.address, commitment=commitment, version=version, signature=key.sign_digest(digest))


@pytest.fixture
def carried(market: Market, tmp_path: Path) -> Iterator[Carried]:
    engine = open_database(f"sqlite:///{tmp_path}/hub.sqlite", tables.metadata, party="hub")
    relay = Relay(engine, tables.outbox, market.ledger.client, market.operator.secret)
    yield Carried(market, RecordCarrier(market.network, relay))
    engine.dispose()


def test_a_page_of_registrations_is_one_transaction_and_the_same_page_again_none(carried: Carried) -> None:
    keys = [SigningKey.generate() for _ in range(5)]
    page = [carried.put(key, 1) for key in keys]

    assert carried.send(*page) == 1
    assert [carried.slot(key) for key in keys] == [(COMMITMENT, 1)] * 5
    assert carried.send(*page) == 0


def test_what_stands_already_is_left_out_and_the_rest_carried(carried: Carried) -> None:
    old, new = SigningKey.generate(), SigningKey.generate()
    carried.send(carried.put(old, 1))

    assert carried.send(carried.put(old, 1), carried.put(new, 1)) == 1
    assert carried.slot(new) == (COMMITMENT, 1)


def test_a_write_whose_turn_had_not_come_is_carried_when_it_has(carried: Carried) -> None:
    key = SigningKey.generate()
    late = carried.put(key, 2, b"\x08" * 26)

    assert carried.send(late) == 0
    carried.send(carried.put(key, 1))
    assert carried.send(late) == 1
    assert carried.slot(key) == (b"\x08" * 26, 2)


def test_a_withdrawal_goes_alone_before_the_others_and_once(carried: Carried) -> None:
    leaving, coming = SigningKey.generate(), SigningKey.generate()
    carried.send(carried.put(leaving, 1))
    both = (carried.put(coming, 1), carried.withdrawal(leaving, 2))

    assert carried.send(*both) == 2
    assert carried.slot(leaving) == (None, 2)
    assert carried.send(*both) == 0


def test_a_withdrawal_outruns_a_registration_that_may_be_on_its_way(carried: Carried) -> None:
    key = SigningKey.generate()
    registration = carried.put(key, 1)

    assert carried.send(carried.withdrawal(key, 1)) == 0  # nothing is live, and nothing can be on its way behind it
    assert carried.send(carried.withdrawal(key, 2)) == 1
    assert carried.send(registration) == 0
    assert carried.slot(key) == (None, 2)
    assert carried.send(carried.withdrawal(key, 2)) == 0


def test_an_owner_who_acted_alone_meanwhile_is_no_error(carried: Carried) -> None:
    key = SigningKey.generate()
    write = carried.put(key, 1)
    records = carried.market.network.records
    carried.market.ledger.transact(FAUCET, None, to=key.address, value_wei=10**18)
    carried.market.ledger.transact(key.secret, records.put_mine(COMMITMENT))

    assert carried.send(write) == 0
    assert carried.slot(key) == (COMMITMENT, 1)


def test_the_hub_pays_for_nothing_that_the_control_key_did_not_sign(carried: Carried) -> None:
    key, thief = SigningKey.generate(), SigningKey.generate()
    forged = carried.put(thief, 1)

    with pytest.raises(IntegrityError) as refusal:
        carried.send(
            carried.put(key, 1),
            RecordPut(record=key.address, commitment=to_hex(COMMITMENT), version=1, signature=forged.signature),
        )
    assert refusal.value.code == "hub.record-signature"
    assert carried.slot(key) == (None, 0)


def test_what_the_ledger_refused_may_be_tried_again(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    key = SigningKey.generate()
    carried.send(carried.put(key, 1))
    withdrawal = carried.withdrawal(key, 2)
    records = carried.market.network.records
    with monkeypatch.context() as patched:
        wrong = records.withdraw(key.address, version=2, signature=b"\x01" * 64 + b"\x1b")
        patched.setattr(carried.carrier._records, "withdraw", lambda *_, **__: wrong)
        with pytest.raises(NotPermittedError):
            carried.send(withdrawal)
    assert carried.slot(key)[0] is not None

    assert carried.send(withdrawal) == 1
    assert carried.slot(key) == (None, 2)
