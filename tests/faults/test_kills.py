"""Each process is killed between every two steps of the protocol, and each study ends as if nobody had been.

The same must be: how many records, what they were paid and that they were, each once, at addresses that their owners
can spend; the result, byte for byte where nothing in it is random; every keeper's book; the audit. Keys of sessions,
one-time addresses and noise are fresh by design.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import pytest

from faults.conftest import Undisturbed
from faults.network import PEOPLE, FaultyNetwork
from faults.study_runs import run_study
from faults.tripwire import Cut, Wire

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]

SERVICES = ("ledger", "hardware", "keeper-1", "keeper-2", "keeper-3", "hub", "host")
CUTS: tuple[Cut, ...] = ("before", "after")


@dataclass(frozen=True)
class Moment:
    """A message that begins or ends a step of the protocol."""

    step: int
    door: str
    message: str
    during: Literal["publish", "fund", "run", "result", "earnings", "audit"]
    noised: bool = False

    @property
    def living(self) -> tuple[str, ...]:
        """Who is there to be killed: every service, and who acts."""
        at_work = ("worker",) if self.during == "run" and 6 <= self.step <= 10 else ()
        actor = {"keeper.match": (), "claim_subtree": (), "hub.leaves": ("vault",)}.get(self.message, ("buyer",))
        return (*SERVICES, *at_work, *(actor if self.step in (5, 13) else ()))

    def __str__(self) -> str:
        return f"{self.step}-{self.message}"


MOMENTS = (
    Moment(5, "hub", "hub.publish", "publish"),
    Moment(5, "ledger", "fund_with_permit", "fund"),
    Moment(5, "hub", "hub.run", "run"),
    Moment(5, "keeper-1", "keeper.match", "run"),
    Moment(6, "hub", "hub.candidates", "run"),
    Moment(6, "keeper-2", "keeper.nonce", "run"),
    Moment(7, "keeper-3", "keeper.appraise", "run"),
    Moment(7, "ledger", "register_session", "run"),
    Moment(8, "keeper-1", "keeper.release", "run", noised=True),
    Moment(9, "hub", "hub.progress:assembled", "run"),
    Moment(10, "hub", "hub.progress:analysed", "run"),
    Moment(10, "keeper-2", "keeper.confirm", "run", noised=True),
    Moment(11, "hub", "hub.owners", "run"),
    Moment(11, "hub", "hub.report", "run"),
    Moment(12, "ledger", "settle", "run"),
    Moment(13, "ledger", "claim_subtree", "run"),
    Moment(13, "hub", "hub.result", "result"),
    Moment(13, "hub", "hub.leaves", "earnings"),
    Moment(14, "ledger", "*", "audit"),
)
EVERYTHING = [(moment, victim, cut) for moment in MOMENTS for victim in moment.living for cut in CUTS]
# Every process, every step, and the deaths that hurt most: of who had just done something and not said so.
IN_THE_GATE = {
    (5, "fund_with_permit", "buyer", "before"),
    (5, "hub.run", "hub", "after"),
    (6, "keeper.nonce", "host", "after"),
    (7, "keeper.appraise", "hardware", "before"),
    (7, "register_session", "worker", "after"),
    (8, "keeper.release", "keeper-1", "after"),
    (9, "hub.progress:assembled", "worker", "after"),
    (10, "keeper.confirm", "keeper-2", "before"),
    (11, "hub.report", "host", "before"),
    (12, "settle", "hub", "after"),
    (12, "settle", "ledger", "before"),
    (13, "claim_subtree", "hub", "after"),
    (13, "hub.leaves", "vault", "after"),
    (14, "*", "ledger", "before"),
}


def _cases() -> list[object]:
    return [
        pytest.param(
            *case,
            id=f"{case[0]}-{case[1]}-{case[2]}",
            marks=() if (case[0].step, case[0].message, *case[1:]) in IN_THE_GATE else pytest.mark.slow,
        )
        for case in EVERYTHING
    ]


@pytest.mark.parametrize(("moment", "victim", "cut"), _cases())
def test_a_study_ends_the_same_whoever_is_killed_when(
    network: FaultyNetwork, undisturbed: Undisturbed, moment: Moment, victim: str, cut: Cut
) -> None:
    wire = Wire(moment.door, moment.message, cut)

    result = run_study(
        network,
        wire,
        partial(network.kill, victim),
        during=moment.during,
        apart=victim in ("buyer", "vault"),
        noised=moment.noised,
    )

    if not moment.noised:
        assert dict(result.files) == undisturbed.files
    assert network.budgets_are_consistent()


def test_the_gates_subset_has_every_process_and_every_step() -> None:
    chosen = [
        (moment, victim)
        for moment, victim, cut in EVERYTHING
        if (moment.step, moment.message, victim, cut) in IN_THE_GATE
    ]
    assert len(chosen) == len(IN_THE_GATE)
    assert {moment.step for moment, _ in chosen} == {moment.step for moment in MOMENTS}
    everyone = {victim for moment in MOMENTS for victim in moment.living}
    assert {victim.partition("-")[0] for _, victim in chosen} == {victim.partition("-")[0] for victim in everyone}
    assert PEOPLE >= 24
