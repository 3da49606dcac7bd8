"""What an enclave host may ask of the hub, and what it may not hand in."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from nebula.database import reading
from nebula.hub import state
from nebula.hub.state import RunState
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError
from nebula.protocol.messages import OrderRequest, RunProgress, RunReport
from simulators.hub import HOST, SimulatedHub, simulated_hub

STRANGER = "0x" + "66" * 20
pytestmark = pytest.mark.xdist_group("dbos")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SimulatedHub]:
    with simulated_hub(tmp_path) as found:
        found.ask()
        found.await_state(RunState.ORDERED)
        yield found


def test_the_same_order_is_given_until_it_is_reported(hub: SimulatedHub) -> None:
    ask = OrderRequest(measurement=hub.document.measurement)
    first = hub.orders.next_order(ask, HOST).order
    assert first == hub.orders.next_order(ask, HOST).order
    assert first is not None
    assert set(first.records) == {owner.record for owner in hub.world.owners}

    hub.report(hub.make_output())
    assert hub.orders.next_order(ask, HOST).order is None


def test_other_code_gets_no_order(hub: SimulatedHub) -> None:
    assert hub.orders.next_order(OrderRequest(measurement="0x" + "00" * 32), HOST).order is None


def test_who_is_no_host_of_this_hub_gets_and_hands_in_nothing(hub: SimulatedHub) -> None:
    progress = RunProgress(run=hub.run, stage="x", done=0, total=1)
    with pytest.raises(NotPermittedError):
        hub.orders.next_order(OrderRequest(measurement=hub.document.measurement), STRANGER)
    with pytest.raises(NotPermittedError):
        hub.orders.progress(progress, STRANGER)
    with pytest.raises(NotPermittedError):
        hub.orders.report(RunReport(run=hub.run), STRANGER)


def test_progress_is_shown_while_the_run_is_with_the_enclave_and_no_longer(hub: SimulatedHub) -> None:
    hub.orders.progress(RunProgress(run=hub.run, stage="assembling", done=3, total=24), HOST)
    assert hub.stand().detail == "assembling 3/24"

    hub.report(hub.make_output())
    hub.await_state(RunState.PAID)
    hub.orders.progress(RunProgress(run=hub.run, stage="assembling", done=4, total=24), HOST)
    assert hub.stand().detail is None


def test_the_output_of_a_session_that_was_not_handed_in_is_refused(hub: SimulatedHub) -> None:
    output = hub.world.run(msgspec.structs.replace(hub.world.order, run=hub.run))

    with pytest.raises(RejectedInputError) as refusal:
        hub.report(output)
    assert refusal.value.code == "hub.session"
    assert hub.stand().state is RunState.ORDERED


@pytest.mark.parametrize("part", ["payouts", "leaves", "run"])
def test_an_output_whose_parts_do_not_belong_together_is_refused_whole(hub: SimulatedHub, part: str) -> None:
    output = hub.make_output()
    if part == "run":
        receipt = msgspec.structs.replace(output.signed.receipt, run="0x" + "99" * 32)
        altered = msgspec.structs.replace(output, signed=msgspec.structs.replace(output.signed, receipt=receipt))
    else:
        altered = msgspec.structs.replace(output, **{part: getattr(output, part)[:-1]})

    with pytest.raises(IntegrityError):
        hub.report(altered)
    assert hub.stand().state is RunState.ORDERED
    with reading(hub.engine) as connection:
        assert state.page_of_leaves(connection, hub.run, after=0, limit=10) == ((), None)
