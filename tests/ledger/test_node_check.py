"""A check re-executes everything, so no altered byte that matters can hide."""

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nebula.ledger.client.calls import artefact
from nebula.ledger.client.wallet import Fees, Wallet
from nebula.ledger.genesis import Genesis
from nebula.ledger.node import check
from nebula.ledger.node.chain import Chain
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.secrets import SecretBytes

PAYER = Wallet(SecretBytes(b"\x05" * 32))
FEES = Fees(10**10, 0)
GENESIS = Genesis(balances={PAYER.address: str(10**24)})


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with payments and a contract that logs on its creation."""
    path = tmp_path_factory.mktemp("check") / "ledger.db"
    chain = Chain(path, GENESIS, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    code = bytes.fromhex(artefact("organizations")["bytecode"][2:]) + bytes(12) + b"\x07" * 20
    raws = [PAYER.sign(None, code, chain_id=20017, nonce=0, gas=3_000_000, fees=FEES).raw]
    raws += [
        PAYER.sign("0x" + "ab" * 20, b"", chain_id=20017, nonce=nonce, gas=21_000, fees=FEES, value_wei=nonce).raw
        for nonce in range(1, 6)
    ]
    for raw in raws:
        assert isinstance(chain.submit([raw])[0], bytes)
    chain.close()
    return path


def test_an_untouched_ledger_is_sound(sound: Path) -> None:
    report = check(sound)

    assert report.sound
    assert report.blocks == 7
    assert report.transactions == 6
    assert report.head_number == 6


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE blocks SET header = CAST(substr(header, 1, 99) || x'00' || substr(header, 101) AS BLOB) WHERE number=3",
        "UPDATE blocks SET header = x'c0' WHERE number = 3",
        "UPDATE blocks SET hash = zeroblob(32) WHERE number = 3",
        "DELETE FROM blocks WHERE number = 3",
        "DELETE FROM blocks WHERE number = 0",
        "UPDATE transactions SET raw = (SELECT raw FROM transactions WHERE block = 5) WHERE block = 4",
        "UPDATE transactions SET raw = x'02c0' WHERE block = 4",
        "UPDATE transactions SET sender = zeroblob(20) WHERE block = 4",
        "UPDATE transactions SET succeeded = 0 WHERE block = 4",
        "UPDATE transactions SET gas_used = 1 WHERE block = 4",
        "DELETE FROM transactions WHERE block = 4",
        "UPDATE logs SET body = x'00'",
        "UPDATE logs SET address = zeroblob(20)",
        "DELETE FROM logs",
        "UPDATE state SET node = x'00' WHERE hash = (SELECT max(hash) FROM state)",
        "DELETE FROM state WHERE hash = (SELECT min(hash) FROM state)",
    ],
)
def test_whatever_is_altered_is_found_and_its_block_is_named(sound: Path, tmp_path: Path, change: str) -> None:
    altered = tmp_path / "ledger.db"
    shutil.copy(sound, altered)
    with sqlite3.connect(altered) as database:
        assert database.execute(change).rowcount > 0
    database.close()

    report = check(altered)

    assert not report.sound
    assert "block" in report.problems[0]


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.db"
    rubbish.write_bytes(b"not a database at all" * 100)
    with pytest.raises(IntegrityError):
        check(rubbish)
    with pytest.raises(RejectedInputError):
        check(tmp_path / "absent.db")
