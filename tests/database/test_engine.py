"""Databases: what was committed stays, what was not never was, and writers wait for each other."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from nebula.database import insert_or_ignore, open_database, reading, writing
from nebula.protocol.errors import RejectedInputError, UnavailableError

TABLES = MetaData()
counters = Table(
    "counters",
    TABLES,
    Column("name", String(10), primary_key=True),
    Column("amount", BigInteger, nullable=False),
    sqlite_strict=True,
)


def test_what_was_written_is_there_when_it_is_opened_again(database_url: str) -> None:
    engine = open_database(database_url, TABLES, party="test")
    with writing(engine) as connection:
        connection.execute(insert(counters).values(name="a", amount=2**62))
    engine.dispose()
    with reading(open_database(database_url, TABLES, party="test")) as connection:
        assert connection.scalar(select(counters.c.amount)) == 2**62


def test_a_transaction_that_fails_changed_nothing(database_url: str) -> None:
    engine = open_database(database_url, TABLES, party="test")

    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(insert(counters).values(name="a", amount=1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with reading(engine) as connection:
        assert connection.scalar(select(counters.c.amount)) is None


def test_a_row_that_is_there_already_is_left_alone(database_url: str) -> None:
    engine = open_database(database_url, TABLES, party="test")
    for amount in (1, 2):
        with writing(engine) as connection:
            connection.execute(insert_or_ignore(connection, counters).values(name="a", amount=amount))
    with reading(engine) as connection:
        assert connection.scalar(select(counters.c.amount)) == 1


def test_writers_wait_for_each_other_and_none_is_lost(database_url: str) -> None:
    engine = open_database(database_url, TABLES, party="test")
    with writing(engine) as connection:
        connection.execute(insert(counters).values(name="a", amount=0))

    def add() -> None:
        for _ in range(10):
            with writing(engine) as connection:
                row = select(counters.c.amount).with_for_update()
                amount = connection.scalars(row).one()
                connection.execute(update(counters).values(amount=amount + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as connection:
        assert connection.scalar(select(counters.c.amount)) == 40


def test_a_column_takes_its_own_type_only(database_url: str) -> None:
    engine = open_database(database_url, TABLES, party="test")
    with pytest.raises(DBAPIError), writing(engine) as connection:
        connection.execute(text("INSERT INTO counters VALUES ('a', 'many')"))


def test_another_schema_version_is_refused_and_another_partys_is_not_mixed_up(database_url: str) -> None:
    open_database(database_url, TABLES, party="test", version=2)
    with pytest.raises(RejectedInputError, match="schema 2") as refused:
        open_database(database_url, TABLES, party="test", version=3)
    assert refused.value.code == "database.version"
    open_database(database_url, TABLES, party="other", version=3)


def test_an_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(RejectedInputError, match="not supported"):
        open_database("mysql://nowhere/x", TABLES, party="test")


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nowhere.db", "postgresql+psycopg://u:p@127.0.0.1:9/x?connect_timeout=2"]
)
def test_a_database_that_is_away_is_called_away(url: str) -> None:
    with pytest.raises(UnavailableError):
        open_database(url, TABLES, party="test")


def test_a_full_disk_is_said_and_changes_nothing(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/party.db", TABLES, party="test")
    with writing(engine) as connection:
        connection.execute(text("PRAGMA max_page_count=8"))

    def fill() -> None:
        with writing(engine) as connection:
            # Connections are kept: the limit is this one's.
            connection.execute(text("PRAGMA max_page_count=8"))
            rows = [{"name": f"{number:010d}", "amount": number} for number in range(20_000)]
            connection.execute(insert(counters), rows)

    with pytest.raises(UnavailableError, match="full") as refused:
        fill()
    assert refused.value.code == "database.away"
    with reading(engine) as connection:
        assert connection.scalars(select(counters)).all() == []


KILLED = """
import os, sys
from sqlalchemy import insert
sys.path.insert(0, sys.argv[2])
from test_engine import TABLES, counters
from nebula.database import open_database, writing
engine = open_database(sys.argv[1], TABLES, party="test")
with writing(engine) as connection:
    connection.execute(insert(counters).values(name="kept", amount=1))
with writing(engine) as connection:
    connection.execute(insert(counters).values(name="lost", amount=1))
    os.kill(os.getpid(), 9)
"""


def test_kill_nine_keeps_every_commit_and_nothing_else(database_url: str) -> None:
    folder = str(Path(__file__).parent)
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url, folder], check=False)
    assert killed.returncode == -9
    with reading(open_database(database_url, TABLES, party="test")) as connection:
        assert connection.scalars(select(counters.c.name)).all() == ["kept"]
