"""Whom a restored vault believes: enough keepers that say alike, and only what the ledger commits to."""

import secrets
from datetime import UTC, datetime

import msgspec
import pytest

from nebula.ledger.client.records import Slot
from nebula.protocol.consent import policy_commitment, record_commitment
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import to_bytes, to_hex
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.protocol.messages import HeldAnswer
from nebula.transport.client import Carrier
from nebula.vault import held
from nebula.vault.consent import first_policy
from nebula.vault.settings import KeeperEntry, VaultSettings

KEY = OwnerKeys.from_mnemonic(generate_mnemonic()).control_key(0)
SETTINGS = VaultSettings(
    chain_id=1,
    ledger_url="http://127.0.0.1:9",
    records_contract="0x" + "aa" * 20,
    studies_contract="0x" + "bb" * 20,
    hub_url="http://127.0.0.1:9",
    hub_address="0x" + "cc" * 20,
    keepers=tuple(
        KeeperEntry(url=f"http://keeper-{n}", address="0x" + f"{n:02x}" * 20, key=bytes([9] * 31 + [n]))
        for n in range(3)
    ),
    threshold=2,
    storage_url="file:///nowhere",
)
TRUE = HeldAnswer(
    record=KEY.address,
    version=4,
    manifest_commitment=to_hex(secrets.token_bytes(32)),
    manifest_location="file:///store#manifest",
    policy=first_policy(
        KEY.address, price_floor_wei=5, trust_roots=("0x" + "07" * 32,), at=datetime(2026, 1, 1, tzinfo=UTC)
    ),
)
SLOT = Slot(KEY.address, record_commitment(to_bytes(TRUE.manifest_commitment), policy_commitment(TRUE.policy)), 4)


def answers(monkeypatch: pytest.MonkeyPatch, *said: HeldAnswer | None) -> None:
    told = iter(said)
    monkeypatch.setattr(held, "_ask", lambda *_: next(told))


def lie(**changes: object) -> HeldAnswer:
    return msgspec.structs.replace(TRUE, **changes)


def fetch() -> HeldAnswer:
    return held.fetch_held(SETTINGS, KEY, SLOT, Carrier())


def test_enough_keepers_that_say_alike_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, TRUE, None, TRUE)

    assert fetch() == TRUE


def test_one_keeper_cannot_send_the_owner_to_another_place(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, lie(manifest_location="file:///evil#manifest"), TRUE, TRUE)

    assert fetch() == TRUE


@pytest.mark.parametrize(
    "forged",
    [
        lie(policy=msgspec.structs.replace(TRUE.policy, price_floor_wei="0")),
        lie(manifest_commitment="0x" + "11" * 32),
        lie(version=3),
        lie(record="0x" + "01" * 20),
    ],
    ids=["policy", "manifest", "version", "record"],
)
def test_what_the_ledger_does_not_commit_to_is_never_believed(
    monkeypatch: pytest.MonkeyPatch, forged: HeldAnswer
) -> None:
    answers(monkeypatch, forged, forged, forged)

    with pytest.raises(UnavailableError, match="too few keepers"):
        fetch()


def test_with_too_few_keepers_nothing_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, None, TRUE, None)

    with pytest.raises(UnavailableError):
        fetch()
