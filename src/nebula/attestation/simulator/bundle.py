"""The simulated measurement: a hash over the code that a worker would load into its enclave.

Real SGX hashes every page as it is loaded. Here the simulator reads, by itself, the files of the ``nebula`` package
that the worker may import, the native module among them, and adds the versions of Python and of the
libraries. The worker has no say in it.
"""

import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import nebula
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Hash32, to_hex

PACKAGE = Path(nebula.__file__).parent
# What the worker may import, by the rules of the tree: whole packages, and single modules.
FOLDERS = (
    "protocol",
    "crypt4gh",
    "genome",
    "clinical",
    "analysis",
    "disclosure",
    "storage",
    "enclave",
)
FILES = (
    "__init__.py",
    "attestation/__init__.py",
    "attestation/quoting.py",
    "attestation/report_data.py",
)
LIBRARIES = (
    "coincurve",
    "cryptography",
    "msgspec",
    "numpy",
    "opendp",
    "pyarrow",
    "pycryptodome",
    "scipy",
)
_LABEL = b"nebula/simulated-measurement/1"


def enclave_files(package: Path = PACKAGE) -> list[Path]:
    """Return the files of the package that a worker may load; compiled caches are left out."""
    files = [package / name for name in FILES]
    for folder in FOLDERS:
        files += (path for path in (package / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [*files, *package.glob("_native*.so")]


def measure_bundle(paths: Iterable[Path], *, base: Path, surroundings: Iterable[str]) -> bytes:
    """Return the 32-byte hash of files, by name below ``base``, and of the lines that describe what is around them.

    Raises:
        UnavailableError: a file cannot be read.
    """
    fields = [_LABEL, *(line.encode() for line in surroundings)]
    try:
        for name, path in sorted((path.relative_to(base).as_posix(), path) for path in paths):
            fields += (name.encode(), path.read_bytes())
    except OSError as error:
        raise UnavailableError("simulator.bundle", f"the code bundle cannot be measured: {error}") from error
    digest = hashlib.sha256()
    for field in fields:
        digest.update(len(field).to_bytes(8, "big") + field)
    return digest.digest()


def measure_installed_bundle(package: Path = PACKAGE) -> Hash32:
    """Return the measurement that a worker started from this installation has under simulated hardware."""
    surroundings = [f"python {platform.python_version()}", *map(_library, LIBRARIES)]
    return to_hex(measure_bundle(enclave_files(package), base=package, surroundings=surroundings))


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} absent"
