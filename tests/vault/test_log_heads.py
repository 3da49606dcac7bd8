"""A vault remembers how long each keeper's log was, and notices one that is not the same any more."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from nebula.database import open_database
from nebula.protocol.errors import IntegrityError
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import LogHead
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.vault import tables
from nebula.vault.log_heads import compare_head

KEEPER = SigningKey.generate()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'vault.db'}", tables.metadata, party="vault")


def head(sequence: int, mark: str = "a") -> LogHead:
    unsigned = LogHead(keeper=KEEPER.address, sequence=sequence, hash="0x" + mark * 64, signature=UNSIGNED)
    return sign_document(unsigned, KEEPER.secret)


def test_a_log_that_grows_or_rests_is_the_same_log(engine: Engine) -> None:
    for sequence in (0, 3, 3, 9):
        assert compare_head(engine, KEEPER.address, head(sequence)) is None


@pytest.mark.parametrize("later", [head(2), head(0), head(3, "b")])
def test_a_log_that_gets_shorter_or_changes_its_end_contradicts_the_head_kept_before(
    engine: Engine, later: LogHead
) -> None:
    compare_head(engine, KEEPER.address, head(3))
    for _ in range(2):  # the proof is not lost by being looked at
        assert compare_head(engine, KEEPER.address, later) == head(3)


def test_a_head_that_the_keeper_did_not_sign_is_none(engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        compare_head(engine, SigningKey.generate().address, head(3))
