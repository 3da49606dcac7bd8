"""Compile the contracts into the artefacts that the ledger client loads: ``python contracts/build.py``.

Vyper is a development tool; what runs reads only the JSON files written here. A test compiles again and
compares, so an artefact that does not come from its source cannot stay.
"""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import OptimizationLevel, Settings
from vyper.version import version as vyper_version

SOURCES = Path(__file__).resolve().parent
ARTEFACTS = SOURCES.parent / "src" / "nebula" / "ledger" / "artefacts"
CONTRACTS = ("organizations", "token", "records", "sessions", "studies", "panels")


def compile_contract(name: str) -> dict[str, Any]:
    """Compile one contract; returns what its artefact holds."""
    bundle = FilesystemInputBundle([SOURCES])
    source = bundle.load_file(Path(f"{name}.vy"))
    settings = Settings(compiler_version="0.4.3", evm_version="cancun", optimize=OptimizationLevel.GAS)
    output = compile_from_file_input(
        source,
        input_bundle=bundle,
        settings=settings,
        output_formats=["abi", "bytecode"],
        no_bytecode_metadata=True,
    )
    return {
        "compiler": f"vyper {vyper_version} evm cancun optimize gas",
        "source_digest": source_digest(name),
        "abi": output["abi"],
        "bytecode": output["bytecode"],
    }


def source_digest(name: str) -> str:
    """SHA-256 over the contract's source and every module it imports from here, by name."""
    seen: dict[str, str] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in seen or not (path := SOURCES / f"{module}.vy").is_file():
            continue
        seen[module] = path.read_text(encoding="utf-8")
        waiting += re.findall(r"^import (\w+)$", seen[module], re.MULTILINE)
    return hashlib.sha256(json.dumps(sorted(seen.items())).encode()).hexdigest()


def render(artefact: dict[str, Any]) -> str:
    """The artefact as the text of its file."""
    return json.dumps(artefact, indent=1) + "\n"


def main() -> None:
    """Write every artefact."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    for name in CONTRACTS:
        artefact = compile_contract(name)
        (ARTEFACTS / f"{name}.json").write_text(render(artefact), encoding="utf-8")
        size = (len(artefact["bytecode"]) - 2) // 2
        print(f"{name}: {size} bytes, {len(artefact['abi'])} ABI entries", file=sys.stderr)


if __name__ == "__main__":
    main()
