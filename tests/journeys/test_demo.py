"""The main job, as a newcomer runs it: real processes, real files, one study from import to payout."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nebula.ledger.node import check
from nebula.localnet.settings_files import THRESHOLD, load_network
from nebula.localnet.supervisor import running, stop
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.receipt import parse_public_run, parse_receipt

PEOPLE = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "network"


@pytest.fixture(scope="module")
def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nebula.cli", "demo", "--people", str(PEOPLE), "--dir", str(folder), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished


@pytest.fixture(scope="module")
def story(demo: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(demo.stdout.strip().splitlines()[-1])
    return told


pytestmark = pytest.mark.xdist_group("demo")


def test_everybody_but_the_unwilling_and_the_withdrawn_takes_part(story: dict[str, Any]) -> None:
    assert story["people"] == story["records_enrolled"] == PEOPLE
    assert story["records_refused"] == 1
    assert story["records_used"] == PEOPLE - story["records_refused"] - story["records_withdrawn"]
    assert story["simulated"] is True


def test_money_is_conserved_and_everyone_is_paid(story: dict[str, Any]) -> None:
    assert story["escrow_wei"] == story["owners_wei"] + story["fees_wei"] + story["refund_wei"]
    assert story["owners_wei"] == story["records_used"] * 2 * TOKEN_WEI
    assert story["payouts"] == story["payouts_claimed"] == story["records_used"]


def test_the_files_are_there_and_say_the_same(story: dict[str, Any]) -> None:
    receipt = parse_receipt(Path(story["receipt"]).read_bytes())
    public = parse_public_run(Path(story["public_run"]).read_bytes())

    assert public.signed == receipt
    assert receipt.receipt.record_count == story["records_used"]
    assert len(public.votes) >= THRESHOLD
    assert Path(story["result"]).read_text().startswith("chromosome\tbase_pair_location\teffect_allele")
    assert Path(story["manhattan_png"]).read_bytes().startswith(b"\x89PNG")


def test_the_audit_finds_nothing_wrong(story: dict[str, Any]) -> None:
    assert story["audit"]["checks"] >= 18
    assert story["audit"]["failed"] == 0


def test_nothing_is_left_running_and_the_ledger_is_sound(story: dict[str, Any], folder: Path) -> None:
    assert running(folder) is None
    assert load_network(folder) is not None
    assert check(folder / "ledger.sqlite").sound


def test_the_ledger_holds_no_name_of_a_person(story: dict[str, Any], folder: Path) -> None:
    content = (folder / "ledger.sqlite").read_bytes()

    assert b"P00001" not in content
    assert b"P00120" not in content


def test_what_to_try_next_works_as_it_is_printed(demo: subprocess.CompletedProcess[str], folder: Path) -> None:
    commands = [line.strip() for line in demo.stderr.splitlines() if line.startswith("  nebula ")]
    programs = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    assert [command.split()[1] for command in commands] == ["up", "audit", "record", "payout", "down"]
    try:
        for command in commands:
            typed = ["bash", "-c", command]
            finished = subprocess.run(typed, capture_output=True, text=True, timeout=300, env=programs, check=False)
            assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"
    finally:
        stop(folder)
