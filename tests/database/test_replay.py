"""The replay table: each message goes through once, also across restarts and races."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import MetaData, func, select

from nebula.database import open_database, reading
from nebula.database.replay import ReplayGuard, seen_messages_table
from nebula.protocol.envelope import CLOCK_SKEW_SECONDS, VerifiedMessage
from nebula.protocol.errors import NotPermittedError

TABLES = MetaData()
seen = seen_messages_table(TABLES)
MESSAGE = VerifiedMessage(
    kind="keeper.nonce",
    sender="0x" + "0a" * 20,
    nonce=bytes(16),
    sent=1_800_000_000,
    digest="0x" + "11" * 32,
    body=b"{}",
)


def guard(url: str) -> ReplayGuard:
    return ReplayGuard(open_database(url, TABLES, party="test"), seen)


def test_a_message_goes_through_once_also_after_a_restart(database_url: str) -> None:
    guard(database_url).admit(MESSAGE)
    with pytest.raises(NotPermittedError) as refused:
        guard(database_url).admit(MESSAGE)
    assert refused.value.code == "message.replayed"


def test_another_sender_may_use_the_same_nonce(database_url: str) -> None:
    found = guard(database_url)
    found.admit(MESSAGE)
    found.admit(replace(MESSAGE, sender="0x" + "0b" * 20))
    found.admit(replace(MESSAGE, nonce=b"\1" * 16))


def test_what_is_too_old_to_be_accepted_is_forgotten(database_url: str) -> None:
    engine = open_database(database_url, TABLES, party="test")
    found = ReplayGuard(engine, seen)
    for number in range(5):
        late = MESSAGE.sent + number * 10 * CLOCK_SKEW_SECONDS
        found.admit(replace(MESSAGE, nonce=bytes([number]) * 16, sent=late))
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(seen)) == 1


def test_of_many_copies_at_once_one_goes_through(database_url: str) -> None:
    found = guard(database_url)
    outcomes: list[bool] = []

    def knock() -> None:
        try:
            found.admit(MESSAGE)
            outcomes.append(True)
        except NotPermittedError:
            outcomes.append(False)

    threads = [threading.Thread(target=knock) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 5 + [True]
