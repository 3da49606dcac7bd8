"""Changing a consent by naming what is to be different."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.consent import Mode
from nebula.protocol.consent_words import in_words
from nebula.protocol.duo import Modifier, Permission
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import ResultClass
from nebula.vault.consent import first_policy
from nebula.vault.consent_edits import PolicyChange, change, read_change

POLICY = first_policy(
    "0x" + "01" * 20, price_floor_wei=10**18, trust_roots=("0x" + "07" * 32,), at=datetime(2026, 1, 1, tzinfo=UTC)
)
CHANGES: dict[str, tuple[Any, str, Any]] = {
    "permission": ("gru", "permission", Permission.GRU),
    "conditions": (("npu",), "modifiers", (Modifier.NPU,)),
    "commercial_use": (False, "commercial_use", False),
    "ai_training": (True, "ai_training", True),
    "countries": (("ch", "DE"), "jurisdictions", ("CH", "DE")),
    "buyers_denied": (("0x" + "AB" * 20,), "buyers_denied", ("0x" + "ab" * 20,)),
    "ask": (True, "mode", Mode.ASK),
    "price_floor": ("2.5", "price_floor_wei", "2500000000000000000"),
    "result_classes": ((ResultClass.FULL,), "result_classes", (ResultClass.FULL,)),
    "discoverable": (False, "discoverable", False),
    "expires": (date(2030, 1, 31), "expires", int(datetime(2030, 1, 31, 23, 59, 59, tzinfo=UTC).timestamp())),
}


@given(st.sets(st.sampled_from(sorted(CHANGES))))
def test_only_what_is_named_changes(named: set[str]) -> None:
    changed = change(POLICY, PolicyChange(**{name: CHANGES[name][0] for name in named}))

    expected = {CHANGES[name][1]: CHANGES[name][2] for name in named}
    assert changed == msgspec.structs.replace(POLICY, **expected)


def test_any_and_none_empty_a_list() -> None:
    narrow = change(POLICY, PolicyChange(countries=("CH",), conditions=("IRB",)))

    assert change(narrow, PolicyChange(countries=("any",), conditions=("none",))) == POLICY


@pytest.mark.parametrize(
    "wrong",
    [
        PolicyChange(permission="everything"),
        PolicyChange(diseases=("cancer",)),
        PolicyChange(countries=("Switzerland",)),
        PolicyChange(buyers_allowed=("0x12",)),
        PolicyChange(price_floor="-1"),
        PolicyChange(price_floor="1e3"),
        PolicyChange(permission="DS"),
    ],
)
def test_what_means_nothing_is_refused_with_a_sentence_for_people(wrong: PolicyChange) -> None:
    with pytest.raises(RejectedInputError) as caught:
        change(POLICY, wrong)

    assert "regex" not in caught.value.message


def test_a_file_says_the_same_in_toml_and_json(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('permission = "DS"\ndiseases = ["MONDO:0005148"]\nexpires = 2030-01-31\n')
    (tmp_path / "a.json").write_text('{"permission":"DS","diseases":["MONDO:0005148"],"expires":"2030-01-31"}')

    assert read_change(tmp_path / "a.toml") == read_change(tmp_path / "a.json")
    assert change(POLICY, read_change(tmp_path / "a.toml")).permission is Permission.DS


def test_every_change_shows_in_the_words() -> None:
    for name, (value, _, _) in CHANGES.items():
        assert in_words(change(POLICY, PolicyChange(**{name: value}))) != in_words(POLICY), name
