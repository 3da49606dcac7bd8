"""A study that names code which its network has left behind: nothing is locked for it, nobody waits for it."""

from pathlib import Path

import msgspec
import pytest

from cli.conftest import Run
from cli.test_refund import buyer, clock, market, study
from nebula.buyer import Buyer
from nebula.buyer.settings import BuyerSettings
from nebula.protocol.messages import RunAnswer
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import to_canonical

__all__ = ["buyer", "clock", "market", "study"]


def leave_behind(folder: Path) -> BuyerSettings:
    """Have a buyer's network take other code over; return the settings that there were."""
    before = msgspec.json.decode((folder / "settings.json").read_bytes(), type=BuyerSettings)
    after = msgspec.structs.replace(before, measurement="0x" + "77" * 32)
    (folder / "settings.json").write_bytes(to_canonical(after))
    return before


def test_nobody_is_asked_for_an_escrow_that_would_be_refused(run: Run, buyer: Path, study: StudyDocument) -> None:
    leave_behind(buyer)

    said = run("study", "fund", "0x", "--buyer", buyer)

    assert said.status == 3
    assert "which runs here no more" in " ".join(said.err.split())
    assert "escrow is" not in said.err


@pytest.mark.parametrize("state", ["matching", "ordered", "reported"])
def test_a_run_that_can_only_wait_says_why_and_when_its_escrow_comes_back(
    run: Run, buyer: Path, study: StudyDocument, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    Buyer(leave_behind(buyer), buyer).fund(study)
    answer = RunAnswer(run="0x" + "11" * 32, state=state, detail="waiting for an enclave")
    monkeypatch.setattr(Buyer, "run", lambda _buyer, _study: answer)

    said = run("study", "run", "0x", "--buyer", buyer)

    told = " ".join(said.err.split())
    assert (said.status, "which runs here no more" in told) == ((0, False) if state == "reported" else (3, True))
    assert ("comes back after" in told) == (state != "reported")
