"""Files that a researcher brings along, plain or gzip: scores, loadings, and regions."""

import gzip
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from nebula.analysis.loadings_file import Loadings, parse_loadings
from nebula.analysis.region_file import parse_regions
from nebula.analysis.scoring_file import ScoringFile, parse_scoring_file
from nebula.protocol.errors import RejectedInputError

_LONGEST_BYTES = 1 << 30

T = TypeVar("T")


def read_score(file: Path, *, without_complex: bool = False) -> ScoringFile:
    """Read a PGS Catalog scoring file.

    Raises:
        RejectedInputError: ``score.*``; the sentence names the file and, where there is one, the line.
    """
    return read_parsed(file, partial(parse_scoring_file, leave_out_complex=without_complex), code="score.file")


def read_regions(file: Path) -> tuple[str, ...]:
    """Read a BED file of regions by name.

    Raises:
        RejectedInputError: ``regions.*``; the sentence names the file and, where there is one, the line.
    """
    return read_parsed(file, parse_regions, code="regions.file")


def read_loadings(file: Path) -> Loadings:
    """Read a table of a reference's loadings.

    Raises:
        RejectedInputError: ``loadings.*``; the sentence names the file and, where there is one, the line.
    """
    return read_parsed(file, parse_loadings, code="loadings.file")


def build_of(file: Path, found: str | None, said: str | None) -> str:
    """Return the build that a file's positions are on, by what it says and what the researcher says.

    Raises:
        RejectedInputError: ``study.build``; nobody says it, or they contradict each other.
    """
    build = said or found
    if build is None:
        raise RejectedInputError(
            "study.build", f"{file.name} does not say which build it is on", hint="add --score-build GRCh38"
        )
    if found not in (None, build):
        raise RejectedInputError("study.build", f"{file.name} is on {found}, not {build}")
    return build


def read_parsed(file: Path, parse: Callable[[str], T], *, code: str) -> T:
    """Read a text and parse it; what is wrong with it is told with the file's name.

    Raises:
        RejectedInputError: as :func:`read_text`, and whatever ``parse`` refuses.
    """
    text = read_text(file, code=code)
    try:
        return parse(text)
    except RejectedInputError as error:
        raise RejectedInputError(error.code, f"{file.name}: {error.message}", hint=error.hint) from error


def read_text(file: Path, *, code: str) -> str:
    """Read a text, plain or gzip, of at most a gigabyte.

    Raises:
        RejectedInputError: under ``code``; it cannot be read, is too long, or is no text.
    """
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            raw = opened.read(_LONGEST_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:  # a name with a null byte is a ValueError
        raise RejectedInputError(code, f"{file} cannot be read: {error}") from error
    if len(raw) > _LONGEST_BYTES:
        raise RejectedInputError(code, f"{file.name} is longer than {_LONGEST_BYTES:,} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RejectedInputError(code, f"{file.name} is no UTF-8 text") from error
