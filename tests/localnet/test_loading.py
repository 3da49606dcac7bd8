"""What each process loads is a budget: seven of them start together, and every second of loading counts seven times."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("altair", "dbos", "eth", "eth_abi", "litestar", "numpy", "opendp", "pandas", "polars", "pyarrow", "pydantic"),
    *("scipy.linalg", "scipy.stats", "sqlalchemy", "vl_convert", "web3"),
}
SERVER = {"litestar", "numpy", "eth_abi", "pydantic", "sqlalchemy"}


@pytest.mark.parametrize(
    ("module", "needs"),
    [
        ("nebula.cli.app", set()),
        ("nebula.cli.demo", set()),
        ("nebula.localnet.processes", set()),  # the supervisor
        ("nebula.host.app", set()),
        ("nebula.attestation.simulator.__main__", {"litestar"}),
        ("nebula.ledger.node", {"eth", "pydantic"}),
        ("nebula.keeper.app", SERVER),
        ("nebula.hub.app", SERVER - {"numpy"} | {"dbos"}),
        ("nebula.enclave.__main__", {"numpy", "opendp", "scipy.linalg"}),
        ("nebula.localnet.story", SERVER - {"litestar"} | {"pyarrow"}),
    ],
)
def test_a_process_loads_no_heavy_package_that_it_does_not_need(module: str, needs: set[str]) -> None:
    look = f"import json, sys, {module}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True)

    assert set(json.loads(done.stdout)) & HEAVY <= needs
