"""A study's result: the files that disclosure control let through, and the digest that the receipt carries.

The digest is over names and contents alone, so whoever has the files can compute it again:
SHA-256( label ‖ for each file by name: length ‖ name ‖ length ‖ content ), lengths in 8 bytes, big-endian.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Hash32, to_hex
from nebula.protocol.study import ResultClass
from nebula.protocol.wire import Document, parser

MAX_RESULT_BYTES = 384 * 1024 * 1024
"""In Base64 and JSON, with all leaves beside it, a result has to fit into a run's output."""

SUMMARY_FILE = "summary.json"
_LABEL = b"nebula/result/1\x00"
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_-]{0,60}(\.[a-z0-9]{1,8}){1,2}\Z")]


class ResultBundle(Document, frozen=True, kw_only=True):
    """All files of one result. Names are plain file names, safe to write into a folder."""

    schema: Literal[1] = 1
    study: Hash32
    run: Hash32
    analysis: str
    result_class: ResultClass
    files: Annotated[dict[_Name, bytes], msgspec.Meta(min_length=1, max_length=20)]

    @property
    def digest(self) -> Hash32:
        """The digest that stands in the receipt."""
        return result_digest(self.files)

    @property
    def summary(self) -> dict[str, Any]:
        """What the result says of itself: sample size, inflation, number of hits."""
        summary: dict[str, Any] = msgspec.json.decode(self.files[SUMMARY_FILE])
        return summary


_parse = parser(ResultBundle, max_bytes=MAX_RESULT_BYTES)


def result_digest(files: Mapping[str, bytes]) -> Hash32:
    """Return the digest of a result's files."""
    digest = hashlib.sha256(_LABEL)
    for name in sorted(files):
        for field in (name.encode(), files[name]):
            digest.update(len(field).to_bytes(8, "big") + field)
    return to_hex(digest.digest())


def open_result(raw: bytes, *, expected_digest: Hash32) -> ResultBundle:
    """Parse an opened result and check that it is the one that the receipt commits to.

    Raises:
        RejectedInputError: it is no result.
        IntegrityError: it is another result.
    """
    bundle = _parse(raw)
    if bundle.digest != expected_digest:
        raise IntegrityError("result.digest", "this result is not the one that the receipt commits to")
    return bundle
