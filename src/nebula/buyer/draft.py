"""A study in a researcher's words: from a file, and from options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from nebula.protocol.duo import Pledge, Purpose
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import Condition, ResultClass
from nebula.protocol.wire import Document
from nebula.protocol.written import parse_written

_MOST_BYTES = 256 * 1024
_OPTIONS = {
    "title": "--title",
    "summary": "--summary",
    "purposes": "--purpose",
    "diseases": "--disease",
    "pledges": "--pledge",
    "result_class": "--result-class",
    "privacy_rho": "--privacy-rho",
    "min_records": "--min-records",
    "max_records": "--max-records",
    "days": "--days",
}
"""By which option a field is given, of a draft or of a study's document."""


class StudyDraft(Document, frozen=True, kw_only=True):
    """A study in a researcher's words. Amounts are in tokens; ``parameters`` are those of the analysis."""

    title: str | None = None
    summary: str | None = None
    purposes: tuple[Purpose, ...] = (Purpose.HEALTH,)
    diseases: tuple[str, ...] = ()
    pledges: tuple[Pledge, ...] = ()
    commercial: bool = False
    ai_training: bool = False
    analysis: str = "gwas-linear"
    trait: str | None = None
    covariates: tuple[str, ...] = ()
    pcs: int | None = None
    score: str | None = None
    score_build: str | None = None
    without_complex: bool = False
    loadings: str | None = None
    grid_step: float | None = None
    regions: str | None = None
    condition: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    variant: str | None = None
    steps: int | None = None
    parameters: dict[str, Any] = {}  # noqa: RUF012 - msgspec copies it
    conditions: tuple[Condition, ...] = ()
    result_class: ResultClass | None = None
    privacy_rho: Annotated[float, msgspec.Meta(ge=0, le=10)] | None = None
    price: str = "2"
    fee: str = "50"
    min_records: int = 100
    max_records: int = 1000
    days: Annotated[float, msgspec.Meta(gt=0, le=3650)] = 30
    panel: str | None = None


def read_draft(file: Path) -> StudyDraft:
    """Read a draft from a TOML or JSON file.

    Raises:
        RejectedInputError: ``study.file``; it cannot be read, or a field is unknown or of the wrong kind.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise RejectedInputError("study.file", f"{file} cannot be read: {error.strerror}") from error
    return parse_written(raw, file.name, StudyDraft, code="study.file", most_bytes=_MOST_BYTES)


def with_options(draft: StudyDraft, options: Mapping[str, Any]) -> StudyDraft:
    """Return the draft with what options say put in place of what the file said; None says nothing."""
    said = {name: value for name, value in options.items() if value is not None}
    changed = msgspec.structs.asdict(draft) | said
    try:
        checked: StudyDraft = msgspec.convert(msgspec.to_builtins(changed), StudyDraft)
    except msgspec.ValidationError as error:
        raise no_study(error) from error
    return checked


def no_study(error: msgspec.ValidationError) -> RejectedInputError:
    """Return the refusal of a draft or a document: what was expected, and of which option where it came by one."""
    expected, _, path = str(error).partition(" - at `$.")
    option = _OPTIONS.get(path.removeprefix("purpose.").partition("[")[0].rstrip("`"))
    return RejectedInputError("study.value", f"this is no study: {f'{option}: {expected}' if option else error}")
