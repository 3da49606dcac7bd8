"""The relay: every effect once, whatever crashes when, on both databases."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, MetaData, select

from ledger.ledgers import FAUCET, Ledger, Market
from nebula.database import open_database, reading, writing
from nebula.ledger.client import ContractCall, LedgerClient, RevertedError
from nebula.ledger.client.wallet import Wallet
from nebula.ledger.relay import Relay, Status, enqueue, outbox_table
from nebula.protocol.errors import RejectedInputError, UnavailableError
from nebula.protocol.keys import SigningKey
from nebula.protocol.money import TOKEN_WEI

TABLES = MetaData()
OUTBOX = outbox_table(TABLES)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url, TABLES, party="relaytest")
    yield opened
    opened.dispose()


@pytest.fixture
def payer(market: Market) -> SigningKey:
    """A key with ether and tokens of its own."""
    key = market.ledger.fresh_key()
    market.ledger.transact(market.buyer.secret, market.network.token.transfer(key.address, 50 * TOKEN_WEI))
    return key


def relay_of(engine: Engine, ledger: Ledger, key: SigningKey, **options: int) -> Relay:
    return Relay(engine, OUTBOX, ledger.client, key.secret, **options)


def pay(market: Market, receiver: str, tokens: int = 1) -> ContractCall:
    return market.network.token.transfer(receiver, tokens * TOKEN_WEI)


def test_an_effect_asked_for_again_happens_once(
    engine: Engine, ledger: Ledger, market: Market, payer: SigningKey
) -> None:
    relay, receiver = relay_of(engine, ledger, payer), SigningKey.generate().address
    for _ in range(3):
        relay.submit("pay:1", pay(market, receiver))
        relay.wait("pay:1", sleep=ledger.tick)

    assert market.network.token.balance_wei(receiver) == TOKEN_WEI
    assert relay.step() == 0


def test_a_key_stands_for_one_effect_only(engine: Engine, ledger: Ledger, market: Market, payer: SigningKey) -> None:
    relay, receiver = relay_of(engine, ledger, payer), SigningKey.generate().address
    relay.submit("pay:1", pay(market, receiver))

    with pytest.raises(RejectedInputError) as refused:
        relay.submit("pay:1", pay(market, receiver, tokens=2))
    assert refused.value.code == "relay.key-reused"


def test_an_effect_is_decided_with_the_callers_own_transaction(
    engine: Engine, ledger: Ledger, market: Market, payer: SigningKey
) -> None:
    relay = relay_of(engine, ledger, payer)
    call = pay(market, SigningKey.generate().address)

    def decide_and_fail() -> None:
        with writing(engine) as connection:
            enqueue(connection, OUTBOX, relay.address, "pay:1", call)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        decide_and_fail()
    assert relay.outcome("pay:1") is None


def test_many_effects_keep_their_order(engine: Engine, ledger: Ledger, market: Market, payer: SigningKey) -> None:
    relay, receiver = relay_of(engine, ledger, payer), SigningKey.generate().address
    for number in range(20):
        relay.submit(f"pay:{number}", pay(market, receiver))

    last = relay.wait("pay:19", sleep=ledger.tick)

    assert last.status is Status.CONFIRMED
    with reading(engine) as connection:
        rows = connection.execute(select(OUTBOX).order_by(OUTBOX.c.sequence)).mappings().all()
    assert [row["nonce"] for row in rows] == list(range(20))
    assert market.network.token.balance_wei(receiver) == 20 * TOKEN_WEI


def test_a_refusal_by_the_contract_is_final_and_says_why(
    engine: Engine, ledger: Ledger, market: Market, payer: SigningKey
) -> None:
    relay, receiver = relay_of(engine, ledger, payer), SigningKey.generate().address
    relay.submit("too-much", pay(market, receiver, tokens=10**6))
    relay.submit("fine", pay(market, receiver))

    with pytest.raises(RevertedError) as refused:
        relay.wait("too-much", sleep=ledger.tick)

    assert refused.value.reason == "the sender has too few tokens"
    assert relay.wait("fine", sleep=ledger.tick).status is Status.CONFIRMED


def test_confirmations_are_waited_for(engine: Engine, ledger: Ledger, market: Market, payer: SigningKey) -> None:
    relay = relay_of(engine, ledger, payer, confirmations=3)
    relay.submit("pay:1", pay(market, SigningKey.generate().address))
    relay.step()
    ledger.tick(0)
    relay.step()
    assert relay.outcome("pay:1").status is Status.SIGNED  # type: ignore[union-attr]

    for _ in range(2):
        ledger.transact(FAUCET, None, to="0x" + "ab" * 20)
    relay.step()

    assert relay.outcome("pay:1").status is Status.CONFIRMED  # type: ignore[union-attr]


def test_the_same_bytes_are_sent_again_after_the_ledger_was_away(
    engine: Engine, ledger: Ledger, market: Market, payer: SigningKey
) -> None:
    receiver = SigningKey.generate().address
    absent = LedgerClient("http://127.0.0.1:9", sleep=lambda _: None)
    relay = Relay(engine, OUTBOX, _DeafAfterSigning(ledger.client, absent), payer.secret)
    relay.submit("pay:1", pay(market, receiver))
    with pytest.raises(UnavailableError):
        relay.step()
    signed = relay.outcome("pay:1")
    assert signed is not None
    assert signed.status is Status.SIGNED

    restarted = relay_of(engine, ledger, payer)

    assert restarted.wait("pay:1", sleep=ledger.tick).transaction_hash == signed.transaction_hash
    assert market.network.token.balance_wei(receiver) == TOKEN_WEI


class _DeafAfterSigning(LedgerClient):
    """A ledger that goes away between the signature and the sending."""

    def __init__(self, present: LedgerClient, absent: LedgerClient) -> None:
        super().__init__(present.url)
        self.send = absent.send  # type: ignore[method-assign]


def test_a_nonce_lost_to_another_transaction_is_replaced(
    engine: Engine, ledger: Ledger, market: Market, payer: SigningKey
) -> None:
    receiver = SigningKey.generate().address
    absent = LedgerClient("http://127.0.0.1:9", sleep=lambda _: None)
    relay = Relay(engine, OUTBOX, _DeafAfterSigning(ledger.client, absent), payer.secret)
    relay.submit("pay:1", pay(market, receiver))
    with pytest.raises(UnavailableError):
        relay.step()
    ledger.transact(payer.secret, None, to="0x" + "ab" * 20)  # somebody used the key elsewhere

    outcome = relay_of(engine, ledger, payer).wait("pay:1", sleep=ledger.tick)

    assert outcome.status is Status.CONFIRMED
    assert market.network.token.balance_wei(receiver) == TOKEN_WEI


def test_a_relay_without_ether_waits_and_says_so(engine: Engine, ledger: Ledger, market: Market) -> None:
    poor = SigningKey.generate()
    relay = relay_of(engine, ledger, poor)
    relay.submit("pay:1", pay(market, SigningKey.generate().address))

    with pytest.raises(UnavailableError) as waiting_:
        relay.wait("pay:1", timeout_seconds=0.3, sleep=ledger.tick)
    assert "insufficient funds" in waiting_.value.message.lower()

    ledger.transact(FAUCET, None, to=poor.address, value_wei=10**18)
    with pytest.raises(RevertedError):  # it has ether now, but no tokens
        relay.wait("pay:1", sleep=ledger.tick)


WORKER = """
import sys
from sqlalchemy import MetaData
from nebula.database import open_database
from nebula.ledger.client import ContractCall, LedgerClient
from nebula.ledger.relay import Relay, outbox_table
from nebula.protocol.secrets import SecretBytes

url, node, key, count, to, payload = sys.argv[1:]
tables = MetaData()
outbox = outbox_table(tables)
engine = open_database(url, tables, party="relaytest")
relay = Relay(engine, outbox, LedgerClient(node), SecretBytes(bytes.fromhex(key)))
print("ready", flush=True)
for number in range(int(count)):
    relay.submit(f"pay:{number}", ContractCall(to, bytes.fromhex(payload), 90_000, "token.transfer"))
    relay.step()
while relay.step():
    pass
"""


@pytest.mark.parametrize("ledger", ["embedded"], indirect=True, scope="session")
def test_killed_anywhere_every_effect_still_happens_exactly_once(
    database_url: str, ledger: Ledger, market: Market, payer: SigningKey
) -> None:
    receiver, dice = SigningKey.generate().address, random.Random(7)
    call = pay(market, receiver)
    arguments = [database_url, ledger.client.url, payer.secret.reveal().hex(), "25", call.to, call.input.hex()]
    for patience in (dice.uniform(0.05, 0.5), dice.uniform(0.05, 0.5), 60):
        worker = subprocess.Popen([sys.executable, "-c", WORKER, *arguments], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        try:
            ended = worker.wait(patience)
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGKILL)
            ended = worker.wait()

    assert ended == 0
    assert market.network.token.balance_wei(receiver) == 25 * TOKEN_WEI
    assert ledger.client.nonce(Wallet(payer.secret).address) == 25
