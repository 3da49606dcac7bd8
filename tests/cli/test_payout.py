"""An owner is told what of a run a hub has altered or lost."""

import pytest

from nebula.cli import payout
from nebula.protocol.errors import IntegrityError
from nebula.vault.earnings import Lost, Unreadable

STUDY, RUN, RECORD = "0x" + "11" * 32, "0x" + "22" * 32, "0x" + "33" * 20
ALTERED = IntegrityError("test.altered", "so it is")


@pytest.mark.parametrize(
    ("what", "record", "words"),
    [
        (Lost.RUN, None, "the whole of it"),
        (Lost.LEAF, RECORD, RECORD),
        (Lost.LEAVES, None, "some leaves may be missing"),
    ],
)
def test_what_is_lost_is_told_as_what_it_is(
    capsys: pytest.CaptureFixture[str], what: Lost, record: str | None, words: str
) -> None:
    with pytest.raises(IntegrityError) as told:
        payout._tell_unreadable([Unreadable(what, STUDY, RUN, record, ALTERED)])

    assert told.value.code == "payout.unreadable"
    assert f"run {RUN}, {words}: so it is" in " ".join(capsys.readouterr().err.split())
