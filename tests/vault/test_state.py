"""What the vault's tables keep of a record that two commands work on at a time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from nebula.database import open_database, reading, writing
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.messages import Enrolment
from nebula.protocol.record import Dealing
from nebula.protocol.signed_by_control_key import UNSIGNED
from nebula.vault import state, tables
from nebula.vault.state import Record, Stage
from vault.test_consent import stored_record

KEEPER = "0x" + "11" * 20


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'vault.sqlite'}", tables.metadata, party="vault")
    yield engine
    engine.dispose()


@pytest.fixture
def stored(engine: Engine) -> list[Record]:
    owner = OwnerKeys.from_mnemonic(generate_mnemonic())
    made = [stored_record(owner, index) for index in range(3)]
    with writing(engine) as connection:
        state.add_records(connection, made)
    return made


def split(record: Record) -> Enrolment:
    return Enrolment(
        record=record.record,
        version=record.version,
        manifest_commitment=record.manifest_commitment,
        manifest_location=record.manifest_location,
        policy=record.policy,
        dealing=Dealing(keepers=3, threshold=2),
        sealed_shares=b"sealed",
        signature=UNSIGNED,
    )


def test_shares_of_a_record_whose_consent_ended_while_they_were_made_go_to_no_keeper(
    engine: Engine, stored: list[Record]
) -> None:
    left, changed, stays = stored
    with writing(engine) as connection:
        assert state.withdraw(connection, [left]) == []
        assert state.replace_record(connection, changed, replace(changed, version=2))

    with writing(engine) as connection:
        assert state.add_enrolments(connection, [(KEEPER, split(one)) for one in stored]) == {stays.record}

    with reading(engine) as connection:
        assert state.unaccepted(connection, KEEPER, limit=10) == [split(stays)]


def test_a_consent_ends_only_of_a_record_as_it_was_known(engine: Engine, stored: list[Record]) -> None:
    with writing(engine) as connection:
        state.move(connection, [stored[0].record], Stage.SPLIT, after=Stage.STORED)
        overtaken = state.withdraw(connection, stored)

    assert overtaken == [replace(stored[0], stage=Stage.SPLIT)]
    with reading(engine) as connection:
        assert state.count_by_stage(connection) == {"split": 1, "withdrawn": 2}
