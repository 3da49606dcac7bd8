"""The chain inside the node, without a process around it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nebula.ledger.client.wallet import Fees, Wallet
from nebula.ledger.genesis import Genesis
from nebula.ledger.node.chain import Chain, Reader
from nebula.ledger.node.machine import Call
from nebula.protocol.errors import NebulaError, RejectedInputError, UnavailableError
from nebula.protocol.ids import to_bytes
from nebula.protocol.secrets import SecretBytes

PAYER = Wallet(SecretBytes(b"\x05" * 32))
SOMEBODY = "0x" + "ab" * 20
GENESIS = Genesis(gas_limit=30_000_000, balances={PAYER.address: str(10**24)})
FEES = Fees(10**10, 0)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def chain(path: Path, clock: Clock) -> Iterator[Chain]:
    opened = Chain(path, GENESIS, clock)
    yield opened
    opened.close()


def pay(nonce: int, *, gas: int = 21_000, chain_id: int = 20017, value_wei: int = 7, fees: Fees = FEES) -> bytes:
    return PAYER.sign(SOMEBODY, b"", chain_id=chain_id, nonce=nonce, gas=gas, fees=fees, value_wei=value_wei).raw


def codes(answers: list[bytes | NebulaError]) -> list[str | None]:
    return [answer.code if isinstance(answer, NebulaError) else None for answer in answers]


def test_a_batch_becomes_one_block(chain: Chain, path: Path) -> None:
    assert codes(chain.submit([pay(n) for n in range(5)])) == [None] * 5

    head = Reader(path).store.head()
    assert head is not None
    assert head.number == 1
    assert len(Reader(path).store.transactions(1)) == 5


def test_a_refused_transaction_leaves_the_others_in_the_block(chain: Chain, path: Path) -> None:
    answers = chain.submit([pay(0), pay(5), pay(0), b"\x02\x00", pay(1), pay(1, chain_id=1)])

    assert codes(answers)[0] is None
    assert codes(answers)[1] == "ledger.nonce-high"
    assert codes(answers)[2] == "ledger.nonce-low"
    assert codes(answers)[3] == "ledger.malformed"
    assert codes(answers)[4] is None
    assert codes(answers)[5] == "ledger.chain"
    assert len(Reader(path).store.transactions(1)) == 2


def test_a_transaction_sent_again_is_already_known_and_changes_nothing(chain: Chain, path: Path) -> None:
    chain.submit([pay(0)])

    assert codes(chain.submit([pay(0)])) == ["ledger.known"]
    head = Reader(path).store.head()
    assert head is not None
    assert head.number == 1


def test_what_does_not_fit_into_a_block_goes_into_the_next(chain: Chain, path: Path) -> None:
    answers = chain.submit([pay(n, gas=16_000_000) for n in range(3)])

    assert codes(answers) == [None] * 3
    # Gas that was not used makes room: the first leaves enough for the second, and so on.
    head = Reader(path).store.head()
    assert head is not None
    assert head.gas_used <= head.gas_limit


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "ledger.size"),
        (b"\x02" + bytes(200_000), "ledger.size"),
        (b"\x03" + bytes(50), "ledger.type"),
        (b"\x04" + bytes(50), "ledger.type"),
        (pay(0, gas=20_999), "ledger.gas"),
        (pay(0, gas=16_777_217), "ledger.gas-cap"),
        (pay(0, fees=Fees(1, 2)), "ledger.fee"),
        (pay(0) + b"\x00", "ledger.malformed"),
        (pay(0, value_wei=10**30), "ledger.ether"),
        (pay(0, fees=Fees(1, 0)), "ledger.fee"),
    ],
)
def test_what_cannot_stand_on_the_ledger_is_refused_with_a_stable_code(chain: Chain, raw: bytes, code: str) -> None:
    assert codes(chain.submit([raw])) == [code]


def test_ledger_time_never_runs_ahead_of_the_clock_and_never_back(chain: Chain, path: Path, clock: Clock) -> None:
    start = int(clock.time.timestamp())
    chain.submit([pay(0)])
    chain.submit([pay(1)])
    clock.time -= timedelta(hours=1)
    chain.submit([pay(2)])
    clock.time += timedelta(hours=2)
    chain.submit([pay(3)])

    reader = Reader(path)
    times = [reader.store.header(number).timestamp_seconds for number in range(1, 5)]  # type: ignore[union-attr]
    assert times == [start, start, start, start + 3600]


def test_a_chain_opened_again_goes_on_where_it_was(path: Path, clock: Clock) -> None:
    first = Chain(path, GENESIS, clock)
    first.submit([pay(0)])
    first.close()

    second = Chain(path, GENESIS, clock)
    assert codes(second.submit([pay(1)])) == [None]
    second.close()


def test_only_one_node_may_have_the_file(chain: Chain, path: Path, clock: Clock) -> None:
    with pytest.raises(UnavailableError) as refused:
        Chain(path, GENESIS, clock)
    assert refused.value.code == "ledger.locked"


def test_a_file_is_not_continued_under_another_genesis(path: Path, clock: Clock) -> None:
    Chain(path, GENESIS, clock).close()

    with pytest.raises(RejectedInputError) as refused:
        Chain(path, Genesis(chain_id=1), clock)
    assert refused.value.code == "ledger.genesis"


def test_a_full_disk_refuses_the_block_and_loses_nothing(chain: Chain, path: Path) -> None:
    chain.submit([pay(0)])
    database = chain._store._db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")

    answers = chain.submit([pay(n) for n in range(1, 60)])

    assert set(codes(answers)) == {"ledger.storage"}
    database.execute(f"PRAGMA max_page_count = {2**30}")
    assert codes(chain.submit([pay(1)])) == [None]


def test_the_past_stays_readable(chain: Chain, path: Path) -> None:
    for nonce in range(3):
        chain.submit([pay(nonce, value_wei=100)])

    reader = Reader(path)
    balances = [
        reader.machine.state(header).balance_wei(to_bytes(SOMEBODY))
        for number in range(4)
        if (header := reader.store.header(number)) is not None
    ]
    assert balances == [0, 100, 200, 300]


def test_a_call_changes_nothing(chain: Chain, path: Path) -> None:
    reader = Reader(path)
    head = reader.store.head()
    assert head is not None
    call = Call(to_bytes(PAYER.address), to_bytes(SOMEBODY), b"", value_wei=10**18, gas=50_000)

    results = [reader.machine.call(head, call) for _ in range(3)]

    assert results[0].failure is None
    assert results[0].gas_used == 21_000
    assert results[1:] == results[:1] * 2
    assert reader.machine.state(head).balance_wei(to_bytes(SOMEBODY)) == 0
