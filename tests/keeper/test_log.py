"""The log: who changes, drops, inserts, swaps or cuts off anything is found out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, update

from keeper.world import World
from nebula.database import reading, writing
from nebula.keeper import log
from nebula.keeper.log import LogEntry
from nebula.keeper.state import open_state
from nebula.keeper.tables import decisions
from nebula.protocol.errors import IntegrityError

HASH = "0x" + "22" * 32


def entry(number: int = 1, **changes: object) -> LogEntry:
    return LogEntry(
        **{
            "decided": 1_800_000_000,
            "step": "release",
            "record": "0x" + f"{number:040x}",
            "study": HASH,
            "run": HASH,
            "session": "0x" + "0c" * 20,
            "released": True,
            "block_number": 1,
            "block_hash": HASH,
            **changes,
        }
    )


def write(engine: Engine, *entries: LogEntry) -> None:
    with writing(engine) as connection:
        log.append(connection, log.lock_head(connection), entries)


def verify(engine: Engine) -> int:
    with reading(engine) as connection:
        return log.verify_log(connection)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_state(database_url)


@given(pages=st.lists(st.integers(0, 4), max_size=5))
@settings(max_examples=20, deadline=None)
def test_any_sequence_of_pages_makes_one_sound_chain(pages: list[int]) -> None:
    engine = open_state("sqlite://")
    for size in pages:
        write(engine, *(entry(number) for number in range(size)))
    assert verify(engine) == sum(pages)


@pytest.mark.parametrize("victim", [1, 2, 3])
def test_an_altered_entry_is_found(engine: Engine, victim: int) -> None:
    write(engine, entry(1), entry(2), entry(3))
    with writing(engine) as connection:
        raw = connection.scalars(select(decisions.c.entry).where(decisions.c.sequence == victim)).one()
        altered = raw.replace(b'"released":true', b'"released":false')
        connection.execute(update(decisions).where(decisions.c.sequence == victim).values(entry=altered))
    with pytest.raises(IntegrityError, match=f"entry {victim}"):
        verify(engine)


@pytest.mark.parametrize("victim", [1, 2, 3])
def test_a_dropped_entry_is_found_also_the_last(engine: Engine, victim: int) -> None:
    write(engine, entry(1), entry(2), entry(3))
    with writing(engine) as connection:
        connection.execute(delete(decisions).where(decisions.c.sequence == victim))
    with pytest.raises(IntegrityError):
        verify(engine)


def test_an_entry_appended_past_the_head_is_found(engine: Engine) -> None:
    write(engine, entry(1))
    with writing(engine) as connection:
        row = connection.execute(select(decisions)).one()._asdict() | {"sequence": 2}
        connection.execute(insert(decisions).values(row))
    with pytest.raises(IntegrityError):
        verify(engine)


def test_the_latest_decision_about_a_session_is_the_last_one(engine: Engine) -> None:
    write(engine, entry(1), entry(2))
    write(engine, entry(1, released=False, reasons=("withdrawn",)))
    records = [entry(1).record, entry(2).record]
    with reading(engine) as connection:
        found = log.latest(connection, entry().session, records)
    assert [found[record].released for record in records] == [False, True]


def test_a_log_that_nobody_wrote_to_is_sound(world: World) -> None:
    assert verify(world.engine) == 0
