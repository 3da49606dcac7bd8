"""Commands that people are told to type: each can be pasted as it stands."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Run
from conftest import REPOSITORY
from nebula.cli.app import app
from nebula.cli.hints import Place, program

TOLD = re.compile(r"(?<!`)`nebula ([^`]+)`(?!`)")


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield first.value


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a module but its docstrings, with a word wherever a value will stand."""
    passed_over = list(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed_over += node.values
            yield "".join(one.value if isinstance(one, ast.Constant) else "VALUE" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in passed_over:
            yield node.value


def told() -> list[tuple[str, str]]:
    found = set()
    for file in (REPOSITORY / "src" / "nebula").rglob("*.py"):
        for text in _texts(ast.parse(file.read_text("utf-8"))):
            found |= {(match, str(file.relative_to(REPOSITORY))) for match in TOLD.findall(text)}
    return sorted(found)


def test_commands_are_found_where_they_are_told() -> None:
    assert len(told()) > 20


@pytest.mark.parametrize(("command", "file"), told())
def test_every_command_that_is_told_is_one(command: str, file: str) -> None:
    app.parse_args(command, exit_on_error=False, print_error=False)


@pytest.mark.parametrize(
    ("command", "completed"),
    [
        ("up", "up --dir 'my net'"),
        ("record list", "record list --dir 'my net' --vault mine"),
        ("record import FILE", "record import FILE --dir 'my net' --vault mine"),
        ("study list", "study list --dir 'my net'"),
        ("vault restore --vault ANOTHER", "vault restore --vault ANOTHER --dir 'my net'"),
        ("study publish --help", "study publish --help"),
        ("population make FOLDER", "population make FOLDER"),
    ],
)
def test_a_command_gets_the_options_that_it_takes_and_lacks(command: str, completed: str) -> None:
    place = Place(app, {"--dir": Path("my net"), "--vault": Path("mine")})

    assert place.complete(f"then `nebula {command}` goes on") == f"then `nebula {completed}` goes on"


def test_the_program_is_named_as_a_shell_would_find_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [".venv/bin/nebula", "up"])

    assert program() == ".venv/bin/nebula"


@pytest.mark.parametrize(
    "command",
    [
        ("record", "list"),
        ("payout", "list"),
        ("consent", "show", "me"),
        ("study", "list"),
        ("status",),
        ("down",),
        ("audit", "network"),
        ("vault", "init"),
    ],
    ids=" ".join,
)
def test_where_nothing_is_the_hint_makes_it_there_and_nobody_is_asked_for_a_pass_phrase(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    nowhere = tmp_path / "no where"

    said = run(*command, "--dir", nowhere)

    assert said.status == 2
    assert "pass phrase" not in said.err
    assert f"--dir '{nowhere}'" in said.err or "--ledger URL" in said.err
    assert not nowhere.exists()


def test_a_vault_is_missed_before_its_pass_phrase_is_asked_for(run: Run, offline: Path, tmp_path: Path) -> None:
    (offline / "vault" / "seed.json").unlink()

    said = run("record", "list", "--pass-phrase-file", tmp_path / "there is none")

    assert said.status == 2
    assert f"`nebula vault init --dir {offline}`" in said.err


def test_a_file_is_missed_before_a_pass_phrase_is_asked_for(run: Run, offline: Path, tmp_path: Path) -> None:
    for command in ("record", "custodian"):
        said = run(command, "import", tmp_path / "none.vcf", "--pass-phrase-file", tmp_path / "none either")
        assert "none.vcf cannot be read" in said.err
