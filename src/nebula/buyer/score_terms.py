"""From a scoring file to a study's terms: its rows, or where everyone can read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nebula.analysis.score_object import score_digest, write_score
from nebula.analysis.score_parameters import MOST_ROWS
from nebula.analysis.score_rows import write_row
from nebula.buyer.reading import build_of, read_score
from nebula.protocol.errors import RejectedInputError
from nebula.storage import open_storage

if TYPE_CHECKING:
    from pathlib import Path


def score_terms(file: Path, *, said_build: str | None, without_complex: bool, public_url: str | None) -> dict[str, Any]:
    """Return what a study's parameters say of a score. A long one is put on a public storage first.

    Args:
        file: of the PGS Catalog.
        said_build: GRCh37 or GRCh38, where the file does not say.
        without_complex: leave rows out that are no single variant.
        public_url: a storage that the buyer may write and everyone may read.

    Raises:
        RejectedInputError: ``score.*``, ``study.build``, ``study.score-long``.
        UnavailableError: the storage is full or away.
    """
    score = read_score(file, without_complex=without_complex)
    build = build_of(file, score.build, said_build)
    terms = {"score": score.name or file.name.split(".")[0], "build": build}
    if len(score.variants) <= MOST_ROWS:
        return terms | {"rows": [write_row(variant) for variant in score.variants]}
    if public_url is None:
        raise RejectedInputError(
            "study.score-long",
            f"{file.name} has {len(score.variants):,} variants; a study's terms hold {MOST_ROWS:,}",
            hint="add public_url to the buyer's settings.json: a storage that everyone may read, for the score",
        )
    raw = write_score(score.variants, build)
    digest = score_digest(raw)
    # Named by its hash, so that to put it again changes nothing.
    location = open_storage(public_url).put(digest.removeprefix("0x"), raw)
    return terms | {"object_location": location, "object_digest": digest, "object_rows": len(score.variants)}
