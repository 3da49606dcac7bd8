"""How every command behaves: help, JSON, exit status, what may be printed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from cyclopts import App

from cli.conftest import PASS_PHRASE, Run
from conftest import REPOSITORY
from nebula.cli.app import app
from nebula.cli.reference import reference

WITHOUT_JSON = {"up", "down", "serve", "check"}


def commands(of: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in of:
        if name.startswith("-"):
            continue
        below = of[name]
        if below.default_command is None:
            yield from commands(below, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(app))


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_every_command_has_help_that_explains_every_argument(run: Run, command: tuple[str, ...]) -> None:
    said = run(*command, "--help")

    assert said.status == 0
    assert said.out.startswith(f"Usage: nebula {' '.join(command)}")


def test_the_reference_explains_every_argument() -> None:
    bare = re.compile(r"^\* `[^`]+`:\s*(\*.*)?(\*\*\[required\]\*\*)?$", re.MULTILINE)

    assert [found.group() for found in bare.finditer(reference())] == []


@pytest.mark.parametrize("command", [one for one in ALL if one[-1] not in WITHOUT_JSON], ids=" ".join)
def test_every_command_with_a_result_offers_json(run: Run, command: tuple[str, ...]) -> None:
    assert "--json" in run(*command, "--help").out


def test_the_reference_of_commands_is_what_help_says() -> None:
    page = REPOSITORY / "docs" / "reference" / "commands.md"

    assert page.read_text("utf-8") == reference(), "`make reference` writes it again"


@pytest.mark.parametrize(
    "arguments",
    [("record", "import"), ("vault", "init", "--colour"), ("nonsense",), ("consent", "edit", "x", "--expires", "soon")],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_where_help_is(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments)

    assert said.status == 2
    assert said.err.startswith("nebula: error: ")
    assert "--help" in said.err


def test_without_a_network_the_hint_is_the_command_that_makes_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").write_text(PASS_PHRASE)

    for command in (("record", "list", "--pass-phrase-file", "p"), ("study", "list"), ("vault", "init")):
        said = run(*command)
        assert said.status == 2
        assert "nebula up" in said.err


def test_a_wrong_pass_phrase_is_not_permitted(run: Run, offline: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("another one")

    said = run("record", "list", "--pass-phrase-file", tmp_path / "wrong")

    assert said.status == 3
    assert "nebula vault restore" in said.err
    assert "another one" not in said.err


def test_without_a_terminal_a_pass_phrase_file_is_asked_for(
    run: Run, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEBULA_PASS_PHRASE_FILE")

    said = run("record", "list")

    assert said.status == 2
    assert "--pass-phrase-file" in said.err


def test_a_new_vault_shows_its_words_once_and_keeps_nothing_readable(run: Run, offline: Path, tmp_path: Path) -> None:
    said = run("vault", "init", "--vault", tmp_path / "mine", "--json")

    words = msgspec.json.decode(said.out)["words"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "mine").rglob("*") if path.is_file())
    assert len(words) == 24
    # Single words of the list, such as "record", stand in hints and in the names of tables.
    assert not any(f"{one} {next_one}" in said.err for one, next_one in pairwise(words))
    assert sum(word.encode() in kept for word in words if len(word) > 5) < 4
    assert PASS_PHRASE.encode() not in kept
    again = run("vault", "init", "--vault", tmp_path / "mine", "--json")
    assert (again.status, again.out) == (2, "")


def test_the_next_command_is_told_with_the_vault_that_was_named(run: Run, offline: Path, tmp_path: Path) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text(PASS_PHRASE)
    another = tmp_path / "my vault"

    said = run("vault", "init", "--dir", offline, "--vault", another, "--pass-phrase-file", phrase)

    assert f"`nebula record import FILE --dir {offline} --vault '{another}'`" in said.err.replace("\n", "")


def test_a_short_pass_phrase_makes_no_vault(run: Run, offline: Path, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("1234567\n")

    said = run("vault", "init", "--vault", tmp_path / "mine", "--pass-phrase-file", tmp_path / "short")

    assert (said.status, said.out) == (2, "")
    assert not (tmp_path / "mine" / "seed.json").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("payout", "list"),
        ("consent", "show", "nobody"),
        ("record", "show", "nobody"),
        ("study", "list"),
    ],
    ids=" ".join,
)
def test_what_is_away_or_unknown_is_said_with_the_right_status(
    run: Run, offline: Path, command: tuple[str, ...]
) -> None:
    expected = {"payout": 4, "consent": 2, "record": 2, "study": 2}[command[0]]

    said = run(*command)

    assert said.status == expected
    assert "nebula: error: " in said.err
    assert "Traceback" not in said.err


def test_made_up_people_are_the_same_for_the_same_seed(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("population", "make", tmp_path / name, "--people", 12, "--seed", 3).status == 0

    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_made_up_people_import_onto_their_own_panel(run: Run, offline: Path, tmp_path: Path) -> None:
    run("population", "make", tmp_path / "made", "--people", 12)
    cohort, me = tmp_path / "made" / "cohort.vcf.gz", tmp_path / "made" / "me_23andme.txt"
    assert run("panel", "build", cohort, "--name", "made-up").status == 0

    said = run("record", "import", me, "--panel", "made-up")

    assert "23andMe" in said.err
    assert "6,000 of 6,000 sites called" in said.err


def test_what_a_command_writes_is_its_users_alone_even_in_a_folder_open_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = tmp_path / "made"
    command = [sys.executable, "-m", "nebula.cli", "population", "make", str(made), "--people", "10"]
    subprocess.run(command, check=True, capture_output=True, umask=0o022)

    written = [made, *made.iterdir()]
    assert len(written) > 1
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
