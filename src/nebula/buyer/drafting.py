"""From what a researcher says to the study's document: what they leave out comes from the buyer's network."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from nebula.analysis.parameters import (
    PARAMETERS,
    AlleleFrequency,
    Discovery,
    Parameters,
    analysed_columns,
    parse_parameters,
)
from nebula.analysis.projection_parameters import MOST_ROWS as MOST_LOADINGS
from nebula.analysis.region_parameters import MOST_SPANS
from nebula.buyer.reading import build_of, read_loadings, read_regions
from nebula.buyer.score_terms import score_terms
from nebula.buyer.settings import BuyerSettings
from nebula.disclosure.release import OFFERED
from nebula.protocol.duo import Pledge, Purpose
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.money import parse_tokens, wei_to_wire
from nebula.protocol.study import Condition, PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.protocol.wire import MAX_DOCUMENT_BYTES, Document, to_canonical

_LONGEST_FILE = 256 * 1024
_NOISED_MICRO_RHO = 500_000
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
    decode = msgspec.json.decode if file.suffix == ".json" else msgspec.toml.decode
    try:
        raw = file.read_bytes()
        if len(raw) > _LONGEST_FILE:
            raise RejectedInputError("study.file", f"{file.name} is longer than any study: {len(raw):,} bytes")
        return decode(raw, type=StudyDraft)
    except OSError as error:
        raise RejectedInputError("study.file", f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        known = ", ".join(StudyDraft.__struct_fields__)
        raise RejectedInputError("study.file", f"{file.name}: {error}", hint=f"its fields may be: {known}") from error


def with_options(draft: StudyDraft, options: Mapping[str, Any]) -> StudyDraft:
    """Return the draft with what options say put in place of what the file said; None says nothing."""
    said = {name: value for name, value in options.items() if value is not None}
    changed = msgspec.structs.asdict(draft) | said
    try:
        checked: StudyDraft = msgspec.convert(msgspec.to_builtins(changed), StudyDraft)
    except msgspec.ValidationError as error:
        raise _no_study(error) from error
    return checked


def write_study(
    draft: StudyDraft, settings: BuyerSettings, *, buyer: str, result_key: bytes, panel: str, at: datetime
) -> StudyDocument:
    """Return the document of a draft.

    Args:
        draft: complete.
        settings: of the buyer; keepers, measurement and trust root are theirs.
        buyer: the buyer's address.
        result_key: what the result is to be sealed to.
        panel: id of the panel that the study is about.
        at: now.

    Raises:
        RejectedInputError: ``study.*``; something is missing or out of range, and the sentence says what.
    """
    if settings.measurement is None or settings.trust_root is None or not settings.keepers:
        raise RejectedInputError(
            "study.network",
            "the buyer's settings name no keepers, measurement or trust root",
            hint="add keepers, measurement and trust_root to the buyer's settings.json",
        )
    analysis = draft.analysis if "@" in draft.analysis else f"{draft.analysis}@1"
    parameters = _parameters(draft, analysis, settings)
    asked = parse_parameters(analysis, parameters)
    needs_phenotypes = bool(analysed_columns(asked) or draft.conditions or isinstance(asked, Discovery))
    result_class = draft.result_class or _suiting_class(asked)
    document = {
        "chain_id": settings.network.chain_id,
        "buyer": buyer,
        "operator": settings.hub_address,
        "result_key": result_key,
        "title": _required(draft.title, "title"),
        "summary": _required(draft.summary, "summary"),
        "purpose": PurposeTerms(
            purposes=draft.purposes,
            diseases=tuple(disease.upper() for disease in draft.diseases),
            pledges=draft.pledges,
            commercial=draft.commercial,
            ai_training=draft.ai_training,
        ),
        "analysis": analysis,
        "parameters": parameters,
        "parts": (PartKind.GENOTYPES, PartKind.PHENOTYPES) if needs_phenotypes else (PartKind.GENOTYPES,),
        "panel": panel,
        "conditions": draft.conditions,
        "result_class": result_class,
        "privacy_micro_rho": _micro_rho(draft, result_class),
        "price_per_record_wei": wei_to_wire(parse_tokens(draft.price)),
        "fee_wei": wei_to_wire(parse_tokens(draft.fee)),
        "min_records": draft.min_records,
        "max_records": draft.max_records,
        "deadline": int((at + timedelta(days=draft.days)).timestamp()),
        "keepers": settings.keepers,
        "keeper_threshold": settings.keeper_threshold,
        "measurement": settings.measurement,
        "trust_root": settings.trust_root,
    }
    return _checked(document)


def _checked(document: dict[str, Any]) -> StudyDocument:
    try:
        checked: StudyDocument = msgspec.convert(msgspec.to_builtins(document), StudyDocument)
    except msgspec.ValidationError as error:
        raise _no_study(error) from error
    size = len(to_canonical(checked))
    if size > MAX_DOCUMENT_BYTES:
        raise RejectedInputError(
            "study.long",
            f"the study's terms have {size:,} bytes; at most {MAX_DOCUMENT_BYTES:,} are read",
            hint="fewer rows of a score, regions or loadings",
        )
    if checked.min_records > checked.max_records:
        raise RejectedInputError(
            "study.records",
            f"at least {checked.min_records} and at most {checked.max_records} records cannot both be",
            hint="raise --max-records, or lower --min-records",
        )
    return checked


def _parameters(draft: StudyDraft, analysis: str, settings: BuyerSettings) -> dict[str, Any]:
    parameters = dict(draft.parameters)
    named = {
        "trait": draft.trait,
        "covariates": list(draft.covariates) or None,
        "pcs": draft.pcs,
        "condition": list(draft.condition) or None,
        "steps": draft.steps,
        "grid_step": draft.grid_step,
        "traits": list(draft.traits) or None,
        "variant": draft.variant,
    }
    parameters |= {name: value for name, value in named.items() if value is not None}
    if draft.score is not None:
        parameters |= score_terms(
            Path(draft.score),
            said_build=draft.score_build,
            without_complex=draft.without_complex,
            public_url=settings.public_url,
        )
    if draft.loadings is not None:
        parameters |= _loadings(Path(draft.loadings), draft.score_build)
    if draft.regions is not None:
        parameters["regions"] = _regions(Path(draft.regions))
    kind = PARAMETERS.get(analysis)
    needed = {field.name for field in msgspec.structs.fields(kind) if field.required} if kind is not None else set()
    if "trait" in needed and "trait" not in parameters:
        raise RejectedInputError("study.trait", f"{analysis} is about a trait", hint="name its column: --trait COLUMN")
    return parameters


def _loadings(file: Path, said_build: str | None) -> dict[str, Any]:
    loadings = read_loadings(file)
    build = build_of(file, loadings.build, said_build)
    if len(loadings.rows) > MOST_LOADINGS:
        raise RejectedInputError(
            "study.loadings-long",
            f"{file.name} has {len(loadings.rows):,} variants; a study's terms hold {MOST_LOADINGS:,}",
            hint="prune the variants before the components are computed: a few thousand place people as well",
        )
    return {"reference": file.name.split(".")[0], "build": build, "rows": list(loadings.rows)}


def _regions(file: Path) -> list[str]:
    regions = read_regions(file)
    if len(regions) > MOST_SPANS:
        raise RejectedInputError(
            "study.regions-long",
            f"{file.name} has {len(regions):,} lines; a study's terms hold {MOST_SPANS:,}",
            hint="join exons into genes, or ask for fewer genes",
        )
    return list(regions)


def _suiting_class(parameters: Parameters) -> ResultClass:
    """Return the class that says least among those that an analysis has."""
    if isinstance(parameters, Discovery):
        return ResultClass.NOISED
    offered = OFFERED[type(parameters)]
    if ResultClass.HITS in offered:
        return ResultClass.HITS
    noised = isinstance(parameters, AlleleFrequency) and not analysed_columns(parameters)
    return ResultClass.NOISED if noised else ResultClass.FULL


def _micro_rho(draft: StudyDraft, result_class: ResultClass) -> int:
    if draft.privacy_rho is not None:
        return round(draft.privacy_rho * 1_000_000)
    return _NOISED_MICRO_RHO if result_class is ResultClass.NOISED else 0


def _no_study(error: msgspec.ValidationError) -> RejectedInputError:
    """Say what was expected, and of which option where it came by one."""
    expected, _, path = str(error).partition(" - at `$.")
    option = _OPTIONS.get(path.removeprefix("purpose.").partition("[")[0].rstrip("`"))
    return RejectedInputError("study.value", f"this is no study: {f'{option}: {expected}' if option else error}")


def _required(text: str | None, name: str) -> str:
    if text is None:
        raise RejectedInputError(
            f"study.{name}", f"the study has no {name}, and owners decide by it", hint=f"add --{name} TEXT"
        )
    return text
