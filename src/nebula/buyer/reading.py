"""Files that a researcher brings along, plain or gzip: scores, and regions."""

import gzip
import zlib
from pathlib import Path

from nebula.analysis.region_file import parse_regions
from nebula.analysis.scoring_file import ScoringFile, parse_scoring_file
from nebula.protocol.errors import RejectedInputError

_LONGEST_BYTES = 1 << 30


def read_score(file: Path, *, without_complex: bool = False) -> ScoringFile:
    """Read a PGS Catalog scoring file.

    Raises:
        RejectedInputError: ``score.*``; the sentence names the file and, where there is one, the line.
    """
    text = read_text(file, code="score.file")
    try:
        return parse_scoring_file(text, leave_out_complex=without_complex)
    except RejectedInputError as error:
        raise RejectedInputError(error.code, f"{file.name}: {error.message}", hint=error.hint) from error


def read_regions(file: Path) -> tuple[str, ...]:
    """Read a BED file of regions by name.

    Raises:
        RejectedInputError: ``regions.*``; the sentence names the file and, where there is one, the line.
    """
    text = read_text(file, code="regions.file")
    try:
        return parse_regions(text)
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
    except (OSError, EOFError, zlib.error) as error:
        raise RejectedInputError(code, f"{file} cannot be read: {error}") from error
    if len(raw) > _LONGEST_BYTES:
        raise RejectedInputError(code, f"{file.name} is longer than {_LONGEST_BYTES:,} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RejectedInputError(code, f"{file.name} is no UTF-8 text") from error
