"""What ``nebula audit`` is given is looked at before a ledger is asked."""

from pathlib import Path

import pytest

from cli.conftest import Run


@pytest.mark.parametrize("url", ["localhost:8545", "ftp://x", ""])
def test_a_ledger_is_named_by_its_url(run: Run, tmp_path: Path, url: str) -> None:
    (tmp_path / "contracts.json").write_text("{}")

    said = run("audit", "network", "--ledger", url, "--contracts", tmp_path / "contracts.json")

    assert said.status == 2
    assert "--ledger http://" in said.err


def test_a_file_that_is_another_is_refused_by_name_and_the_right_one_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "genesis.json"
    file.write_text('{"balances": {}}')

    contracts = run("audit", "network", "--ledger", "http://127.0.0.1:9", "--contracts", file)
    public = run("audit", "run", file)

    assert (contracts.status, public.status) == (2, 2)
    assert f"{file} is not a file of the contracts' addresses" in contracts.err
    assert "contracts.json" in contracts.err
    assert f"{file} is not a run's public file" in public.err
    assert "run.json" in public.err
