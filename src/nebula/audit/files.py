"""The files that an auditor is handed. One form only: a file is the canonical bytes of what it says.

JSON could say the same in many ways. Then a changed byte would go unnoticed where it changes nothing that is said,
so a file is read, written again, and refused where that gives other bytes.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.receipt import MAX_RUN_BYTES, PublicRun, parse_public_run
from nebula.protocol.result import MAX_RESULT_BYTES, ResultBundle
from nebula.protocol.wire import parser, to_canonical

T = TypeVar("T")

_parse_result = parser(ResultBundle, max_bytes=MAX_RESULT_BYTES)
_parse_fields = parser(dict[str, msgspec.Raw], max_bytes=MAX_RUN_BYTES)


def parse_run_file(raw: bytes) -> PublicRun:
    """Parse a run's public file.

    Raises:
        RejectedInputError: ``wire.*``, it is none; ``audit.earlier``, it is one of a session of an earlier version;
            ``audit.not-canonical``, it is not written as it should be.
    """
    try:
        return _parse_canonical(parse_public_run, raw, "the run's file")
    except RejectedInputError as error:
        if error.code == "wire.malformed" and _has_no_statement(raw):
            raise RejectedInputError(
                "audit.earlier",
                "this run's file was written by an earlier version: its session did not sign which leaves it sealed",
                hint="audit it with the version that ran it",
            ) from error
        raise


def parse_result_file(raw: bytes) -> ResultBundle:
    """Parse a run's opened result.

    Raises:
        RejectedInputError: as for :func:`parse_run_file`.
    """
    return _parse_canonical(_parse_result, raw, "the result")


def _parse_canonical(parse: Callable[[bytes], T], raw: bytes, what: str) -> T:
    # SECURITY: anybody's bytes come in here.
    parsed = parse(raw)
    if to_canonical(parsed) != raw:
        raise RejectedInputError(
            "audit.not-canonical",
            f"{what} is not written in the one form that a digest can be made of",
            hint="download it again, and keep its bytes as they come",
        )
    return parsed


def _has_no_statement(raw: bytes) -> bool:
    try:
        fields = _parse_fields(raw).keys()
    except RejectedInputError:
        return False
    return {"signed", "evidence", "payouts"} <= fields and "statement" not in fields
