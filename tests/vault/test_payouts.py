"""A hub that hands out leaves without end is not followed."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from nebula.protocol.messages import LeavesAnswer, LeavesRequest
from nebula.protocol.receipt import SealedLeaf
from nebula.vault import payouts

RUN = "0x" + "01" * 32


@pytest.mark.parametrize("leaves", [0, 1, 7])
def test_a_hub_that_never_comes_to_an_end_is_not_followed(leaves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = SealedLeaf(locator=bytes(16), sealed=b"")
    asked: list[int] = []

    class EndlessHub:
        def ask(self, _kind: object, body: LeavesRequest, _answer: object) -> LeavesAnswer:
            asked.append(body.after)
            if len(asked) > 100:
                raise AssertionError("it is asked on and on")
            return LeavesAnswer(leaves=(leaf,) * leaves, next_after=body.after)

    monkeypatch.setattr(payouts, "all_records", lambda _engine: iter(()))
    receipt: Any = SimpleNamespace(run=RUN, record_count=20)
    own = payouts.own_leaves(cast("Any", None), cast("Any", EndlessHub()), receipt)
    assert own.found == ()
    assert len(asked) <= 21
