"""What the command line asks a person: to agree, for a pass phrase, for the words. Scripts are told what to give."""

import sys
from getpass import getpass
from pathlib import Path

from nebula.cli.console import err
from nebula.protocol.errors import NotPermittedError, RejectedInputError
from nebula.protocol.secrets import SecretBytes

_LEAST = 8


def can_ask() -> bool:
    """Whether there is a person at a terminal who sees what is said."""
    return sys.stdin.isatty() and not err.quiet


def agree(question: str, *, yes: bool, declined: str = "nothing was changed") -> None:
    """Go on only if the person agrees. ``declined`` is said to one who does not.

    Raises:
        RejectedInputError: there is no terminal to ask at, and ``--yes`` was not given.
        NotPermittedError: the person said no.
    """
    if yes:
        return
    if err.quiet:
        raise RejectedInputError(
            "cli.agree", "with --quiet you would not see what you agree to", hint="leave it out, or add --yes to agree"
        )
    if not sys.stdin.isatty():
        raise RejectedInputError(
            "cli.agree", "this needs your agreement, and there is no terminal to ask at", hint="add --yes to agree"
        )
    _say(f"{question} (yes/no) ", end="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotPermittedError("cli.declined", f"you did not agree; {declined}")


def pass_phrase(file: Path | None) -> SecretBytes:
    """Return the pass phrase of an existing vault."""
    return _read_pass_phrase(file) if file is not None else SecretBytes(_ask("Pass phrase of your vault: ").encode())


def new_pass_phrase(file: Path | None) -> SecretBytes:
    """Return a pass phrase for a new vault, asked for twice.

    Raises:
        RejectedInputError: it is shorter than 8 characters, or the two differ.
    """
    if file is not None:
        chosen = _read_pass_phrase(file)
    else:
        chosen = SecretBytes(_ask("Choose a pass phrase for this vault: ").encode())
        if chosen != SecretBytes(_ask("The same again: ").encode()):
            raise RejectedInputError("cli.pass-phrase", "the two pass phrases differ; nothing was made")
    if len(chosen) < _LEAST:
        raise RejectedInputError("cli.pass-phrase", f"a pass phrase has at least {_LEAST} characters")
    return chosen


def words() -> str:
    """Return the 24 words: from standard input where that is no terminal, else asked for, not shown."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    _say("Type your 24 words, with spaces between them. They are not shown.")
    return getpass("Words: ", stream=sys.stderr)


def wait_for_enter(why: str) -> None:
    """Wait for a person at a terminal; where there is none, go on."""
    if sys.stdin.isatty():
        _say(f"{why} Press Enter to go on. ", end="")
        sys.stdin.readline()


def _say(what: str, *, end: str = "\n") -> None:
    """Print for a person who is to answer, also where nothing else is printed."""
    print(what, end=end, file=sys.stderr, flush=True)


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise RejectedInputError(
            "cli.pass-phrase",
            "the vault's pass phrase is needed, and there is no terminal to ask at",
            hint="--pass-phrase-file FILE (or NEBULA_PASS_PHRASE_FILE) names a file that holds it",
        )
    return getpass(prompt, stream=sys.stderr)


def _read_pass_phrase(file: Path) -> SecretBytes:
    try:
        return SecretBytes(file.read_bytes().rstrip(b"\r\n"))
    except OSError as error:
        raise RejectedInputError("cli.pass-phrase", f"{file} cannot be read: {error.strerror}") from error
