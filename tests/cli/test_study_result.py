"""The result of a study that has none."""

from pathlib import Path

import pytest

from cli.conftest import Run
from cli.test_refund import buyer, clock, market, study
from nebula.buyer import Buyer
from nebula.protocol.study import StudyDocument
from nebula.transport.public import RunStanding

__all__ = ["buyer", "clock", "market", "study"]


def test_a_failed_run_has_no_result_to_wait_for_and_its_escrow_comes_back(
    run: Run, buyer: Path, study: StudyDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = "0x" + "11" * 32
    failed = RunStanding(run=some, study=some, state="failed", detail="fewer records than the 100")
    monkeypatch.setattr(Buyer, "standing", lambda _buyer, _study: failed)

    said = run("study", "result", "0x", "--buyer", buyer)

    told = " ".join(said.err.split())
    assert said.status == 3
    assert "without a result: fewer records than the 100" in told
    assert "comes back after" in told
