import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy" / "gramine" / "nebula-enclave.manifest.template"


@dataclass(frozen=True)
class GramineFolders:
    """What gramine-manifest calls ``gramine`` in a template."""

    libos: str = "/usr/lib/x86_64-linux-gnu/gramine/libsysdb.so"

    def runtimedir(self) -> str:
        return "/usr/lib/x86_64-linux-gnu/gramine/runtime/glibc"


# The keys of Gramine's own schema (graminelibos/manifest_check.py) that a worker has a use for.
KNOWN = {
    "fs": {"mounts"},
    "libos": {"entrypoint"},
    "loader": {"entrypoint", "log_level", "argv", "env"},
    "sgx": {
        "allowed_files",
        "debug",
        "edmm_enable",
        "enclave_size",
        "file_check_policy",
        "isvprodid",
        "isvsvn",
        "max_threads",
        "remote_attestation",
        "trusted_files",
    },
    "sys": {"disallow_subprocesses", "enable_sigterm_injection", "stack"},
}
VALUES = {
    "gramine": GramineFolders(),
    "python": "/usr/bin/python3.11",
    "stdlib": "/usr/lib/python3.11",
    "libraries": "/opt/nebula/lib",
    "arch_libdir": "/lib/x86_64-linux-gnu",
    "storage": "/srv/nebula/storage",
    "enclave_size": "8G",
    "threads": 4,
    "isvprodid": 1,
    "isvsvn": 1,
}


def render(values: dict[str, Any]) -> dict[str, Any]:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    return tomllib.loads(environment.from_string(TEMPLATE.read_text()).render(values))


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return render(VALUES)


def test_every_value_is_needed() -> None:
    for name in VALUES:
        with pytest.raises(jinja2.UndefinedError):
            render({key: value for key, value in VALUES.items() if key != name})


def test_every_key_is_one_that_gramine_knows(manifest: dict[str, Any]) -> None:
    assert {section: set(keys) for section, keys in manifest.items()} == KNOWN


def test_the_host_cannot_look_inside(manifest: dict[str, Any]) -> None:
    assert manifest["sgx"]["debug"] is False
    assert manifest["sgx"]["remote_attestation"] == "dcap"


def test_there_is_one_process(manifest: dict[str, Any]) -> None:
    assert manifest["sys"]["disallow_subprocesses"] is True


def test_the_host_adds_nothing_to_arguments_and_environment(manifest: dict[str, Any]) -> None:
    loader = manifest["loader"]
    assert not {"insecure__use_cmdline_argv", "insecure__use_host_env", "argv_src_file", "env_src_file"} & set(loader)
    assert all(isinstance(value, str) for value in loader["env"].values())  # none is passed through
    assert not any("insecure" in name for section in manifest.values() for name in section)


def test_every_file_of_code_is_measured_and_only_the_run_is_not(manifest: dict[str, Any]) -> None:
    sgx = manifest["sgx"]
    assert sgx["file_check_policy"] == "strict"
    assert sgx["allowed_files"] == ["file:/srv/nebula/storage/"]
    mounted = {mount["uri"] for mount in manifest["fs"]["mounts"] if "uri" in mount}
    known = {uri.rstrip("/") for uri in sgx["trusted_files"] + sgx["allowed_files"]}
    assert mounted <= known


def test_nothing_compiles_at_run_time(manifest: dict[str, Any]) -> None:
    text = TEMPLATE.read_text()
    assert not re.search(r"numba|jit|llvm", text, re.IGNORECASE)
    assert "-B" in manifest["loader"]["argv"]


def test_the_template_says_that_it_has_not_run_on_hardware() -> None:
    assert "has not run on SGX hardware" in TEMPLATE.read_text()
