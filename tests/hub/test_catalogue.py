"""What buyers ask of the hub, and whose answers they cannot get."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from nebula.hub.catalogue import Catalogue
from nebula.hub.run import start_run
from nebula.hub.state import RunState
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.messages import PublishRequest, ResultRequest, RunRequest
from simulators.hub import SimulatedHub, simulated_hub

STRANGER = "0x" + "66" * 20
pytestmark = pytest.mark.xdist_group("dbos")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SimulatedHub]:
    with simulated_hub(tmp_path) as found:
        yield found


@pytest.fixture
def catalogue(hub: SimulatedHub) -> Catalogue:
    return Catalogue(
        hub.engine,
        chain_id=hub.document.chain_id,
        keepers=hub.parties.keepers,
        start=lambda study: start_run(hub.runs, hub.parties, study),
    )


def test_publishing_tells_a_rounded_count_and_again_the_same(hub: SimulatedHub, catalogue: Catalogue) -> None:
    ask = PublishRequest(study=hub.document)
    assert catalogue.publish(ask, hub.document.buyer) == catalogue.publish(ask, hub.document.buyer)
    answer = catalogue.publish(ask, hub.document.buyer)
    assert (answer.matching, answer.matching_at_most) == ("fewer than 100", 99)


def test_a_study_is_published_by_its_buyer_on_its_chain(hub: SimulatedHub, catalogue: Catalogue) -> None:
    elsewhere = msgspec.structs.replace(hub.document, chain_id=1)
    with pytest.raises(NotPermittedError):
        catalogue.publish(PublishRequest(study=hub.document), STRANGER)
    with pytest.raises(NotPermittedError):
        catalogue.publish(PublishRequest(study=elsewhere), hub.document.buyer)


def test_a_study_that_cannot_be_matched_now_is_not_half_published(hub: SimulatedHub, catalogue: Catalogue) -> None:
    for keeper in hub.keepers:
        keeper.away = True
    new = msgspec.structs.replace(hub.document, title="Another study")
    with pytest.raises(UnavailableError):
        catalogue.publish(PublishRequest(study=new), new.buyer)
    for keeper in hub.keepers:
        keeper.away = False
    assert catalogue.publish(PublishRequest(study=new), new.buyer).study


def test_run_and_result_are_the_buyers_alone(hub: SimulatedHub, catalogue: Catalogue) -> None:
    buyer, study = hub.document.buyer, hub.study
    assert catalogue.run(RunRequest(study=study), buyer).run == hub.run
    hub.await_state(RunState.ORDERED)
    with pytest.raises(RejectedInputError):
        catalogue.result(ResultRequest(run=hub.run), buyer)
    output = hub.make_output()
    hub.report(output)
    hub.await_state(RunState.PAID)

    assert catalogue.result(ResultRequest(run=hub.run), buyer).sealed_result == output.head.sealed_result
    with pytest.raises(NotPermittedError):
        catalogue.run(RunRequest(study=study), STRANGER)
    with pytest.raises(NotPermittedError):
        catalogue.result(ResultRequest(run=hub.run), STRANGER)
