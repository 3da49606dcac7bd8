"""A keeper that signed the head of its log cannot show another log later."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import delete, insert, select, update

from keeper.test_log import entry, write
from keeper.world import World
from nebula.database import open_database, reading, writing
from nebula.keeper import log
from nebula.keeper.head import check_log, head_routes, parse_heads, signed_head
from nebula.keeper.state import open_state
from nebula.keeper.tables import SCHEMA, decisions, log_head, metadata
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.messages import LogHead
from nebula.protocol.signed_by_control_key import check_document
from nebula.protocol.wire import parser, to_canonical


def heads_of(world: World, entries: int) -> list[LogHead]:
    """Let the log grow, and keep its head after every entry."""
    kept = [signed_head(world.keeper)]
    for number in range(1, entries + 1):
        write(world.engine, entry(number))
        kept.append(signed_head(world.keeper))
    return kept


def url_of(world: World) -> str:
    return world.engine.url.render_as_string(hide_password=False)


def rewrite(world: World, entries: int) -> None:
    """Make a new log that is sound in itself."""
    with writing(world.engine) as connection:
        connection.execute(delete(decisions))
        connection.execute(update(log_head).values(sequence=0, hash=bytes(32)))
    write(world.engine, *(entry(number, released=False) for number in range(1, entries + 1)))


def test_a_head_is_signed_and_anyone_may_fetch_it(world: World) -> None:
    heads_of(world, 2)
    with TestClient(Litestar(head_routes(world.keeper))) as client:
        head = parser(LogHead)(client.get("/v1/log-head").content)
    assert check_document(head, world.keeper.address).sequence == 2


def test_every_earlier_head_is_in_an_honest_log(world: World) -> None:
    heads = heads_of(world, 5)
    assert check_log(url_of(world), heads) == 5


@pytest.mark.parametrize("entries", [0, 2, 3, 5])
def test_a_log_written_anew_is_found_by_any_head_however_sound_it_is(world: World, entries: int) -> None:
    heads = heads_of(world, 3)
    rewrite(world, entries)
    assert check_log(url_of(world)) == entries
    for head in heads[1:]:
        with pytest.raises(IntegrityError, match="signed at entry"):
            check_log(url_of(world), [head])


def test_a_keeper_set_back_to_an_old_copy_is_found(world: World) -> None:
    heads = heads_of(world, 3)
    with reading(world.engine) as connection:
        kept = connection.execute(select(decisions).where(decisions.c.sequence <= 1)).mappings().all()
    rewrite(world, 0)
    with writing(world.engine) as connection:
        connection.execute(insert(decisions), [dict(row) for row in kept])
        connection.execute(update(log_head).values(sequence=1, hash=kept[0]["hash"]))
    assert check_log(url_of(world), heads[:2]) == 1
    with pytest.raises(IntegrityError):
        check_log(url_of(world), heads)


def test_heads_that_the_keeper_did_not_sign_prove_nothing(world: World) -> None:
    (_, head) = heads_of(world, 1)
    lines = [to_canonical(head), b"", to_canonical(head)]
    assert parse_heads(lines) == (head, head)
    with pytest.raises(IntegrityError):
        parse_heads([to_canonical(msgspec.structs.replace(head, sequence=2))])
    with pytest.raises(RejectedInputError):
        parse_heads([b"{}"])


def test_heads_of_two_keepers_are_not_mixed_up(world: World) -> None:
    other = signed_head(world.restarted(address=world.hub.address, signing_key=world.hub.secret))
    with pytest.raises(IntegrityError, match="2 keepers"):
        parse_heads([to_canonical(signed_head(world.keeper)), to_canonical(other)])


def test_where_no_log_is_nothing_is_found_whole(tmp_path: Path) -> None:
    absent = f"sqlite:///{tmp_path / 'absent.db'}"
    with pytest.raises(RejectedInputError):
        check_log(absent)
    assert not (tmp_path / "absent.db").exists()
    open_database(absent, metadata, party="keeper", version=SCHEMA).dispose()
    with pytest.raises(RejectedInputError):
        check_log(absent)
    open_state(absent).dispose()
    assert check_log(absent) == 0


@pytest.mark.parametrize("name", ["", "keeper.sqlite", "nebula-network/keeper-1/keeper-1.sqlite"])
def test_a_file_where_a_url_belongs_is_refused_with_the_form_of_one(name: str) -> None:
    with pytest.raises(RejectedInputError, match="URL") as refused:
        check_log(name)
    assert "sqlite:///FILE" in str(refused.value.hint)


def test_a_decisions_answer_carries_the_head(world: World) -> None:
    from nebula.keeper.consent import read_decisions
    from nebula.protocol.messages import DecisionsRequest

    owner = world.owner()
    world.release(world.session(world.study()), owner.record)
    answer = read_decisions(world.keeper, DecisionsRequest(), owner.record)
    assert answer.head == signed_head(world.keeper)
    with reading(world.engine) as connection:
        assert log.verify_log(connection) == answer.head.sequence == 1


def test_what_is_no_keepers_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.sqlite"
    text.write_text("no database")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (something)")
    before = {file: file.read_bytes() for file in (text, other)}

    for url in ("::::", "/a/path.sqlite", "sqlite:///", f"sqlite:///{text}", f"sqlite:///{other}"):
        with pytest.raises(RejectedInputError):
            check_log(url)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
