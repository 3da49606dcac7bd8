"""What runs inside the CPU's boundary is a budget: more code there is a decision, not an accident."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import nebula
from nebula.attestation.simulator.bundle import enclave_files

THIRD_PARTY = {
    "coincurve",  # secp256k1
    "cryptography",  # X25519, HPKE, ChaCha20-Poly1305
    "deprecated",  # opendp's
    "msgspec",
    "numpy",
    "opendp",  # noise
    "scipy",  # tails of distributions
    "sha3",  # keccak
    "typing_extensions",  # opendp's
    "wrapt",  # opendp's
}
# Loaded where they happen to be installed; the code of scipy names them, and does without.
MAY_BE_THERE = {"charset_normalizer", "cython_runtime"}

LOOK = """
import json, sys
import nebula.enclave.__main__
from nebula.enclave.run import run_order
print(json.dumps([[name, getattr(module, "__file__", None)] for name, module in sys.modules.items()]))
"""


@cache
def loaded_modules() -> dict[str, str | None]:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def test_a_worker_loads_only_what_is_pinned_and_only_what_is_measured() -> None:
    loaded = loaded_modules()

    packages = {name.partition(".")[0] for name in loaded}
    foreign = {name for name in packages if not name.startswith("_")} - set(sys.stdlib_module_names) - {"nebula"}
    assert foreign - MAY_BE_THERE == THIRD_PARTY
    root = Path(nebula.__file__).parent
    measured = {str(path) for path in enclave_files(root)}
    own = {file for name, file in loaded.items() if name.partition(".")[0] == "nebula" and file}
    assert own <= measured


def test_a_worker_loads_no_network_no_database_and_no_compiler() -> None:
    loaded = loaded_modules()

    assert not {"httpx2", "litestar", "nebula.transport", "nebula.ledger", "numba", "sqlalchemy", "web3"} & set(loaded)
