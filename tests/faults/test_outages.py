"""What is away comes back, what is over is paid back, and a whole network that dies gets up again."""

from datetime import UTC, datetime

import pytest

from faults.conftest import Undisturbed
from faults.network import FaultyNetwork
from faults.study_runs import run_study
from faults.tripwire import Wire
from nebula.ledger.client.studies import StudyState
from nebula.protocol.funding import study_id

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]
RELEASING = Wire("keeper-3", "keeper.release", "after")


def test_two_keepers_away_from_the_start_are_told_and_waited_for(
    network: FaultyNetwork, undisturbed: Undisturbed
) -> None:
    def meanwhile(run: str) -> None:
        network.await_detail(run, "waiting: only 1 of 3 keepers answer, and 2 are needed")
        network.wires.shut()

    asked = Wire("keeper-1", "keeper.match", "before")
    result = run_study(network, asked, lambda: network.wires.shut("keeper-1", "keeper-2"), meanwhile=meanwhile)
    assert dict(result.files) == undisturbed.files


def test_two_keepers_that_go_away_during_a_run_are_waited_for(network: FaultyNetwork, undisturbed: Undisturbed) -> None:
    def meanwhile(_run: str) -> None:
        assert network.wires.sprung.wait(240)
        log = network.folder / "logs" / "host.log"
        network.await_that(lambda: "enclave.keepers-away" in log.read_text(), "word of the keepers' absence")
        network.wires.shut()

    result = run_study(network, RELEASING, lambda: network.wires.shut("keeper-1", "keeper-2"), meanwhile=meanwhile)
    assert dict(result.files) == undisturbed.files


def test_while_the_ledger_is_away_settlement_waits_and_says_so(
    network: FaultyNetwork, undisturbed: Undisturbed
) -> None:
    def meanwhile(run: str) -> None:
        network.await_detail(run, "waiting: the ledger at")
        network.wires.shut()

    settling = Wire("ledger", "settle", "before")
    result = run_study(network, settling, lambda: network.wires.shut("ledger"), meanwhile=meanwhile)
    assert dict(result.files) == undisturbed.files


def test_after_the_deadline_without_a_receipt_the_buyer_has_everything_back(network: FaultyNetwork) -> None:
    before = network.balances()
    buyer, study = network.buyer(), network.write_study(seconds=30)
    buyer.publish(study)
    buyer.fund(study)
    assert network.balances()["buyer"] < before["buyer"]
    network.wires.shut("keeper-1", "keeper-2", "keeper-3")
    try:
        run = buyer.run(study).run
        network.await_that(lambda: network.stand(run)[0] == "refunded", "the refund")
    finally:
        network.wires.shut()

    assert datetime.now(UTC).timestamp() > study.deadline
    assert network.stand(run)[1] == "no result came by the study's deadline; the escrow went back to the buyer"
    assert network.ledger.studies.state_of(study_id(study)) is StudyState.REFUNDED
    assert network.balances() == before
    assert [network.uses(number, run) for number in (1, 2, 3)] == [[], [], []]


def test_everything_killed_at_once_during_a_run_goes_on_when_it_is_started_again(
    network: FaultyNetwork, undisturbed: Undisturbed
) -> None:
    def meanwhile(_run: str) -> None:
        assert network.wires.sprung.wait(240)
        network.up()

    result = run_study(network, RELEASING, network.kill_everything, meanwhile=meanwhile)
    assert dict(result.files) == undisturbed.files


def test_a_killed_supervisor_leaves_nothing_running_and_the_run_goes_on_under_the_next(
    network: FaultyNetwork, undisturbed: Undisturbed
) -> None:
    left: list[int] = []

    def meanwhile(_run: str) -> None:
        assert network.wires.sprung.wait(240)
        network.await_deaths(left)
        network.up()

    result = run_study(network, RELEASING, lambda: left.extend(network.kill_supervisor()), meanwhile=meanwhile)
    assert len(left) == 7
    assert dict(result.files) == undisturbed.files


def test_a_network_taken_down_during_a_run_goes_on_with_it_when_it_is_up(
    network: FaultyNetwork, undisturbed: Undisturbed
) -> None:
    def meanwhile(_run: str) -> None:
        assert network.wires.sprung.wait(240)
        network.down()
        network.up()

    confirming = Wire("keeper-1", "keeper.confirm", "before")
    result = run_study(network, confirming, meanwhile=meanwhile)
    assert dict(result.files) == undisturbed.files
