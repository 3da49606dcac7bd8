"""What an owner is told about the risks of a consent."""

import json
from pathlib import Path

import pytest

from cli.conftest import Run, objects
from nebula.crypt4gh import encrypt
from nebula.protocol.sealing import SealingKey


@pytest.fixture
def label(run: Run, offline: Path, me: Path, tmp_path: Path) -> str:
    """A record on the network's one panel of 300 sites, whose consent allows complete statistics."""
    policy = tmp_path / "consent.toml"
    policy.write_text('result_classes = ["full"]')
    assert run("record", "import", me, "--policy", policy, "--label", "me", "--yes").status == 4
    return "me"


def risks(run: Run, label: str) -> object:
    said = run("consent", "show", label, "--json")
    assert said.status == 0, said.err
    return json.loads(said.out)["risks"]


def add_larger_panel(run: Run, tmp_path: Path) -> None:
    sites = tmp_path / "sites.tsv"
    sites.write_text("chrom\tpos\tref\talt\n" + "".join(f"1\t{1000 + 10 * row}\tA\tC\n" for row in range(5000)))
    assert run("panel", "build", sites, "--name", "larger", "--assembly", "GRCh38").status == 0


def test_the_risk_is_told_for_the_records_own_panels(run: Run, label: str, tmp_path: Path) -> None:
    before = risks(run, label)
    add_larger_panel(run, tmp_path)
    assert risks(run, label) == before


def test_where_the_storage_does_not_tell_the_risk_is_that_of_the_largest_panel(
    run: Run, label: str, offline: Path, tmp_path: Path
) -> None:
    before = risks(run, label)
    add_larger_panel(run, tmp_path)
    away = [(path, path.read_bytes()) for path in objects(offline)]
    foreign = encrypt(b"{}", [SealingKey.generate().public_key])
    for instead in (b"", b"no manifest", foreign, None):
        for path, _ in away:
            path.unlink() if instead is None else path.write_bytes(instead)
        assert risks(run, label) != before
        assert "largest panel" in run("consent", "show", label).err.replace("\n", " ")
