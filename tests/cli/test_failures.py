"""What the operating system refuses is said as an error with a hint; what may be a bug stays one."""

import errno
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from nebula.cli import entry, population
from nebula.cli.failures import failure_of


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.ENOSPC, 4), (errno.EDQUOT, 4), (errno.EACCES, 2), (errno.EROFS, 2), (errno.ENOTDIR, 2), (errno.ENOENT, 2)],
)
def test_a_full_disk_and_a_closed_folder_say_which_and_what_to_do(number: int, status: int) -> None:
    failure = failure_of(OSError(number, "no", "/some/where"))

    assert failure is not None
    assert failure.exit_status == status
    assert "/some/where" in failure.message
    assert failure.hint


def test_a_network_of_this_machine_that_is_down_is_said_to_be_down(run: Run, offline: Path) -> None:
    said = run("payout", "list")
    assert said.status == 4
    assert "nebula up" not in said.err  # it could be anybody's

    (offline / "network.json").write_text("{}")
    said = run("payout", "list")
    assert said.status == 4
    assert "is down: `nebula up" in said.err


def test_what_is_about_no_file_is_no_failure_of_a_place() -> None:
    assert failure_of(ConnectionResetError(errno.ECONNRESET, "reset")) is None
    assert failure_of(PermissionError(errno.EPERM, "no")) is None


def test_a_folder_below_a_file_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for command in (("up", "--dir"), ("population", "make")):
        said = run(*command, tmp_path / "file" / "below")
        assert (said.status, "Traceback" in said.err) == (2, False)
        assert str(tmp_path / "file") in said.err


def test_a_disk_that_is_full_is_a_failure_for_now(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(population.Path, "write_bytes", full)

    said = run("population", "make", tmp_path / "people", "--people", 10)

    assert said.status == 4
    assert "No space left on device" in said.err


@pytest.mark.parametrize(
    "options",
    [("--people", 9), ("--people", 10**9), ("--seed", -1), ("--trait", "a\tb"), ("--trait", ""), ("--trait", "sample")],
)
def test_people_that_cannot_be_made_up_are_refused_with_a_hint(
    run: Run, tmp_path: Path, options: tuple[object, ...]
) -> None:
    said = run("population", "make", tmp_path / "people", *options)

    assert (said.status, "nebula: hint: take" in said.err) == (2, True)
    assert not (tmp_path / "people").exists()


def test_quiet_prints_results_and_errors_alone_and_agrees_to_nothing(
    run: Run, offline: Path, people: Path, tmp_path: Path
) -> None:
    made = run("population", "make", tmp_path / "people", "--people", 10, "--quiet")
    assert (made.status, made.err) == (0, "")
    assert made.out

    said = run("custodian", "import", people, "--quiet")

    assert said.status == 2
    assert "--yes" in said.err
    assert "The file" not in said.err


def test_ctrl_c_ends_without_a_traceback_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(population, "make_population", interrupted)
    monkeypatch.setattr(sys, "argv", ["nebula", "population", "make", str(tmp_path / "people")])

    with pytest.raises(SystemExit) as ended:
        entry.main()

    assert ended.value.code == 130
    assert capsys.readouterr().err == "\nnebula: stopped; the same command, given again, goes on from here\n"
