"""A study that could never be run, funded or settled is no study: it does not parse."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.money import MAX_ESCROW_WEI
from nebula.protocol.study import parse_study
from nebula.protocol.wire import to_canonical
from simulators.consents import some_terms

HONEST = msgspec.json.decode(to_canonical(some_terms().document))
KEEPERS = [f"0x{number:040x}" for number in range(1, 40)]


def refusal(**changes: Any) -> str:
    with pytest.raises(RejectedInputError) as refused:
        parse_study(msgspec.json.encode(HONEST | changes))
    return refused.value.code


def test_an_honest_study_parses() -> None:
    assert to_canonical(parse_study(msgspec.json.encode(HONEST))) == to_canonical(some_terms().document)


@pytest.mark.parametrize("threshold", [-1, 0, 1, 33])
def test_no_single_keeper_ever_suffices(threshold: int) -> None:
    assert refusal(keepers=KEEPERS[:3], keeper_threshold=threshold) == "wire.malformed"


def test_a_study_needs_no_more_keepers_than_it_names() -> None:
    assert refusal(keepers=KEEPERS[:3], keeper_threshold=4) == "study.threshold"


def test_a_keeper_that_is_named_twice_does_not_count_twice() -> None:
    assert refusal(keepers=[KEEPERS[0], KEEPERS[0]], keeper_threshold=2) == "study.keepers"


def test_a_study_pays_for_as_many_records_as_it_needs() -> None:
    assert refusal(min_records=11, max_records=10) == "study.records"


@given(price=st.integers(0, 2**100), records=st.integers(1, 10**8), fee=st.integers(0, 2**100))
def test_a_study_parses_only_if_the_ledger_can_lock_its_escrow(price: int, records: int, fee: int) -> None:
    changes = {"price_per_record_wei": str(price), "max_records": records, "fee_wei": str(fee)}
    if price * records + fee > MAX_ESCROW_WEI:
        assert refusal(**changes) == "study.escrow"
    else:
        assert parse_study(msgspec.json.encode(HONEST | changes)).escrow_wei == price * records + fee


def test_the_largest_escrow_is_the_contracts(request: pytest.FixtureRequest) -> None:
    source = (request.config.rootpath / "contracts" / "studies.vy").read_text()
    assert "MAX_ESCROW: constant(uint256) = (1 << 94) - 1" in source
    assert MAX_ESCROW_WEI == (1 << 94) - 1


def test_nothing_that_was_signed_can_be_said_in_two_ways() -> None:
    for changes in ({"deadline": 1.0}, {"chain_id": "1"}, {"surprise": 1}, {"schema": 2}):
        assert refusal(**changes) == "wire.malformed"
