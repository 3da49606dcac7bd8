"""What a hub hands out for one run may be wrong in any way: what other runs earned is told all the same."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nebula.protocol.errors import IntegrityError, NebulaError, NotPermittedError, UnavailableError
from nebula.protocol.messages import LeavesAnswer, LeavesRequest
from nebula.protocol.receipt import SealedLeaf
from nebula.vault import earnings, payouts
from nebula.vault.earnings import Unreadable, read_earnings

STUDY = "0x" + "11" * 32
RUNS = tuple("0x" + f"{number:02x}" * 32 for number in (1, 2, 3))


def settled_runs(monkeypatch: pytest.MonkeyPatch, fetch: Callable[[str], None]) -> Any:
    """Make a network whose ledger settled three runs; ``fetch`` raises for those that the hub does not hand out."""
    runs = [SimpleNamespace(study=STUDY, run=run) for run in RUNS]
    monkeypatch.setattr(earnings, "read_settlements", lambda *_, **__: runs)
    monkeypatch.setattr(earnings, "_public_run", lambda _network, settled: fetch(settled.run))
    monkeypatch.setattr(earnings, "own_leaves", reported_run)
    settings = SimpleNamespace(studies_contract="0x" + "22" * 20, deployed_block=1)
    return SimpleNamespace(settings=settings, ledger=None, hub=None)


def reported_run(*_: object) -> None:
    raise IntegrityError("test.reached", "this run was asked for")


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("peer.broken", "the hub answers with status 400"),
        UnavailableError("ledger.away", "so the hub says"),
        NotPermittedError("hub.no", "the hub does not like this run"),
    ],
)
def test_a_run_that_the_hub_refuses_hides_no_other(monkeypatch: pytest.MonkeyPatch, error: NebulaError) -> None:
    def fetch(run: str) -> Any:
        if run == RUNS[0]:
            raise error
        return SimpleNamespace(signed=SimpleNamespace(receipt=None))

    network = settled_runs(monkeypatch, fetch)
    found = list(read_earnings(cast("Any", None), cast("Any", None), network))

    assert all(isinstance(one, Unreadable) for one in found)
    assert [cast("Unreadable", one).run for one in found] == list(RUNS)
    assert cast("Unreadable", found[0]).error is error


def test_a_hub_that_is_away_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(_run: str) -> None:
        raise UnavailableError("peer.away", "the hub does not answer")

    network = settled_runs(monkeypatch, fetch)
    with pytest.raises(UnavailableError):
        list(read_earnings(cast("Any", None), cast("Any", None), network))


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
    receipt: Any = SimpleNamespace(run=RUNS[0], record_count=20)
    own = payouts.own_leaves(cast("Any", None), cast("Any", EndlessHub()), receipt)
    assert own.found == ()
    assert len(asked) <= 21
