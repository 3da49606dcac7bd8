"""One study from its publication to its audit, with a wire across one of its steps."""

from collections.abc import Callable
from typing import Any

from faults.network import PEOPLE, FaultyNetwork
from faults.tripwire import Wire
from nebula.protocol.result import ResultBundle
from nebula.protocol.wire import to_canonical


def run_study(
    network: FaultyNetwork,
    wire: Wire | None = None,
    spring: Callable[[], None] = lambda: None,
    *,
    during: str = "run",
    apart: bool = False,
    noised: bool = False,
    meanwhile: Callable[[str], None] = lambda _run: None,
    **changes: Any,
) -> ResultBundle:
    """Live through a study, and check that everything that may not differ does not.

    Args:
        network: with everybody enrolled.
        wire: where something happens; None to disturb nothing.
        spring: what.
        during: the act of the buyer or an owner during which the wire is armed.
        apart: that act is a process of its own, which can be killed.
        noised: study frequencies under a privacy budget, instead of an association.
        meanwhile: done with the run's id while the run is on.
        changes: of the study's document.
    """
    before, study = network.balances(), network.write_study(noised=noised, **changes)
    file = network.file(study)

    def arm(act: str) -> None:
        network.apart = apart and act == during
        if wire is not None and act == during:
            network.wires.arm(wire, spring)

    arm("publish")
    network.act("publish", file)
    arm("fund")
    network.act("fund", file)
    arm("run")
    run = network.act("run", file)
    meanwhile(run)
    network.await_state(run, "paid")
    public = network.public_run(run)
    (network.folder / f"{file}.receipt").write_bytes(to_canonical(public.signed))
    (network.folder / f"{file}.run").write_bytes(to_canonical(public))
    arm("result")
    network.act("result", file, f"{file}.receipt", f"{file}.result")
    arm("earnings")
    earned = network.act("earnings", "everyone", f"{file}.run")
    arm("audit")
    result = network.result(study)
    failed = network.audit(public, result)

    network.paid_out += [payout.address for payout in public.payouts]
    network.up()  # everything that was killed runs again
    assert network.wires.failure is None
    assert wire is None or network.wires.sprung.is_set(), "the message did not pass"
    assert earned == [int(study.price_per_record_wei)] * PEOPLE
    assert failed == 0
    network.check_paid(study, public, before, PEOPLE)
    return result
