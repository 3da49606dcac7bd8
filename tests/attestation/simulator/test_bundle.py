from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.attestation.simulator import bundle as bundle_module
from nebula.attestation.simulator.bundle import PACKAGE, enclave_files, measure_bundle, measure_installed_bundle


def bundle(folder: Path, files: dict[str, bytes]) -> list[Path]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def test_any_change_of_any_file_changes_the_measurement(tmp_path: Path) -> None:
    files = {"protocol/a.py": b"one", "enclave/b.py": b"two", "_native.so": b"\x7fELF"}
    variants = [
        files,
        files | {"protocol/a.py": b"onE"},
        {**files, "protocol/c.py": b""},
        {"protocol/a2.py": b"one", "enclave/b.py": b"two", "_native.so": b"\x7fELF"},
        {name: content for name, content in files.items() if name != "_native.so"},
    ]
    found = set()
    for number, variant in enumerate(variants):
        folder = tmp_path / str(number)
        found.add(measure_bundle(bundle(folder, variant), base=folder, surroundings=["python 3"]))
    found.add(measure_bundle(bundle(tmp_path / "0", files), base=tmp_path / "0", surroundings=["python 4"]))
    assert len(found) == len(variants) + 1
    assert {len(measurement) for measurement in found} == {32}


@given(order=st.permutations(["a.py", "b/c.py", "d.so"]))
def test_neither_the_place_nor_the_order_of_files_matters(
    tmp_path_factory: pytest.TempPathFactory, order: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    paths = bundle(folder, {name: name.encode() for name in order})
    other = tmp_path_factory.mktemp("elsewhere")
    same = bundle(other, {name: name.encode() for name in sorted(order)})
    assert measure_bundle(paths, base=folder, surroundings=[]) == measure_bundle(same, base=other, surroundings=[])


def test_what_a_worker_loads_is_measured_and_what_it_cannot_load_is_not() -> None:
    names = {path.relative_to(PACKAGE).as_posix() for path in enclave_files()}
    assert {"protocol/errors.py", "attestation/quoting.py", "attestation/report_data.py"} <= names
    assert any(name.startswith("_native") for name in names)
    assert not any(name.startswith(("keeper/", "hub/", "vault/", "attestation/simulator")) for name in names)
    assert not any("__pycache__" in name for name in names)


def test_libraries_and_interpreter_are_measured_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in (*bundle_module.FOLDERS, "attestation"):
        (tmp_path / folder).mkdir()
    for name in bundle_module.FILES:
        (tmp_path / name).write_text("")
    before = measure_installed_bundle(tmp_path)
    assert measure_installed_bundle(tmp_path) == before

    monkeypatch.setattr(bundle_module, "version", lambda _: "0")
    assert measure_installed_bundle(tmp_path) != before
