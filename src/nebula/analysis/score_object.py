r"""A score that is too long for a study's terms: an object beside them, which they name by its hash.

It is a text, so that everyone can read what is asked for: a line ``NEBULASCORE 1 GRCh38 1745179`` (version, build,
rows), then one row a line, see :mod:`nebula.analysis.score_rows`. Its identity is the SHA-256 of its bytes.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nebula.analysis.score_rows import is_row, parse_row, write_row
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import to_bytes, to_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nebula.analysis.scoring_file import ScoreVariant
    from nebula.protocol.ids import Hash32
    from nebula.protocol.record import Location

MOST_OBJECT_ROWS = 2_000_000
MAX_SCORE_BYTES = 256 * 1024 * 1024
_VERSION = 1


@dataclass(frozen=True, slots=True)
class ScoreObject:
    """Where a score's rows lie that a study's terms do not hold, and which they are."""

    location: Location
    digest: Hash32
    rows: int


def write_score(variants: Sequence[ScoreVariant], build: str) -> bytes:
    """Return the object of a score.

    Raises:
        RejectedInputError: ``score.too-long``; more rows or bytes than are read. ``score.row``; a row that is longer
            than any that is read.
    """
    if len(variants) > MOST_OBJECT_ROWS:
        raise RejectedInputError(
            "score.too-long", f"the score has {len(variants):,} variants; at most {MOST_OBJECT_ROWS:,} are read"
        )
    rows = list(map(write_row, variants))
    for row in rows:
        if not is_row(row):
            raise RejectedInputError("score.row", f"a row is none that is read: {row[:60]!r}, of {len(row):,} letters")
    lines = [_first_line(build, len(variants)), *rows, ""]
    raw = "\n".join(lines).encode("ascii")
    if len(raw) > MAX_SCORE_BYTES:
        raise RejectedInputError(
            "score.too-long", f"the score has {len(raw):,} bytes; at most {MAX_SCORE_BYTES:,} are read"
        )
    return raw


def score_digest(raw: bytes) -> Hash32:
    """Return the hash by which a study names a score's object."""
    return to_hex(hashlib.sha256(raw).digest())


def parse_score(raw: bytes, named: ScoreObject, build: str) -> tuple[ScoreVariant, ...]:
    """Return the variants of the object that a study names.

    SECURITY: the bytes come from a storage that may lie, and the buyer chose what the hash is of.

    Raises:
        IntegrityError: ``score.altered``; it is another object.
        RejectedInputError: ``score.object``; it is none, or not of this build or number of rows.
    """
    if not hmac.compare_digest(hashlib.sha256(raw).digest(), to_bytes(named.digest)):
        raise IntegrityError("score.altered", "the score's object is not the one that the study names")
    # Lines are counted before any is set aside: an object of nothing but line ends would take twenty times its size.
    if not raw.isascii() or raw.count(b"\n") != named.rows + 1:
        raise _malformed(f"it is no text of {named.rows:,} rows behind a first line")
    first, *rows, last = raw.decode("ascii").split("\n")
    if first != _first_line(build, named.rows) or last:
        raise _malformed(f"it does not hold {named.rows:,} rows on {build}, as the study says")
    for number, row in enumerate(rows, start=2):
        if not is_row(row):
            raise _malformed(f"line {number} is no row of a score: {row[:60]!r}")
    return tuple(map(parse_row, rows))


def _first_line(build: str, rows: int) -> str:
    return f"NEBULASCORE {_VERSION} {build} {rows}"


def _malformed(what: str) -> RejectedInputError:
    return RejectedInputError("score.object", f"the score's object is malformed: {what}")
