"""From a draft to the study's document: what the researcher leaves out comes from the buyer's network."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from nebula.analysis.parameters import AlleleFrequency, Discovery, Parameters, analysed_columns, parse_parameters
from nebula.buyer.draft import StudyDraft, no_study
from nebula.buyer.draft_parameters import draft_parameters
from nebula.buyer.settings import BuyerSettings
from nebula.disclosure.floors import MINIMUM_FULL_COHORT
from nebula.disclosure.release import OFFERED
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.money import parse_tokens, wei_to_wire
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.protocol.wire import MAX_DOCUMENT_BYTES, to_canonical

_NOISED_MICRO_RHO = 500_000


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
    parameters = draft_parameters(draft, analysis, public_url=settings.public_url)
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
        "min_records": _least_records(draft, result_class),
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
        raise no_study(error) from error
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


def _suiting_class(parameters: Parameters) -> ResultClass:
    """Return the class that says least among those that an analysis has."""
    if isinstance(parameters, Discovery):
        return ResultClass.NOISED
    offered = OFFERED[type(parameters)]
    if ResultClass.HITS in offered:
        return ResultClass.HITS
    noised = isinstance(parameters, AlleleFrequency) and not analysed_columns(parameters)
    return ResultClass.NOISED if noised else ResultClass.FULL


def _least_records(draft: StudyDraft, result_class: ResultClass) -> int:
    """What the draft asks for, or what complete results need anyway, as far as the draft lets so many in."""
    needed = MINIMUM_FULL_COHORT if result_class is ResultClass.FULL else 0
    return max(draft.min_records, min(needed, draft.max_records))


def _micro_rho(draft: StudyDraft, result_class: ResultClass) -> int:
    if draft.privacy_rho is not None:
        return round(draft.privacy_rho * 1_000_000)
    return _NOISED_MICRO_RHO if result_class is ResultClass.NOISED else 0


def _required(text: str | None, name: str) -> str:
    if text is None:
        raise RejectedInputError(
            f"study.{name}", f"the study has no {name}, and owners decide by it", hint=f"add --{name} TEXT"
        )
    return text
