"""What anyone may fetch: a run's public file, as one file whatever its size."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from nebula.hub import public
from nebula.hub.state import RunState
from nebula.protocol.receipt import parse_public_run
from nebula.protocol.wire import to_canonical
from simulators.hub import SimulatedHub, simulated_hub

pytestmark = pytest.mark.xdist_group("dbos")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SimulatedHub]:
    with simulated_hub(tmp_path, parameters={"trait": "height", "covariates": ["sex"], "pcs": 0}) as found:
        found.ask()
        found.await_state(RunState.ORDERED)
        yield found


@pytest.mark.parametrize("size", [1, 5, 24, 5000])
def test_a_public_file_is_canonical_however_many_pages_it_was_made_of(
    hub: SimulatedHub, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = hub.make_output()
    hub.report(output)
    monkeypatch.setattr(public, "PAYOUT_PAGE", size)

    with TestClient(Litestar(public.public_routes(hub.engine))) as client:
        raw = client.get(f"/v1/runs/{hub.run}/public").content

    found = parse_public_run(raw)
    assert to_canonical(found) == raw
    assert (found.payouts, found.signed, found.statement) == (output.payouts, output.head.signed, output.head.statement)
